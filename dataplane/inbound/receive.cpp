// Takes a burst from the wire port: frames go on, what concerns the main core is copied and
// punted, the rest is dropped by name.
#include <algorithm>
#include <cstring>

#include "dataplane/inbound/path.hpp"

namespace penstock::dataplane::inbound {
namespace {

constexpr std::uint16_t vlan_id = 0x0fff;  // of a tag's control information; 0: no VLAN, a priority

void punt_allowed(Path& path, const PacketView& view, PuntKind kind) {
  if (!path.punt_buffers.ensure(1)) return path.count.drop(Outbox::full(kind));
  rte_mbuf* buffer = path.punt_buffers.pop();
  if (view.length > rte_pktmbuf_tailroom(buffer)) {
    rte_pktmbuf_free(buffer);
    return path.count.drop(Outbox::full(kind));
  }
  std::memcpy(rte_pktmbuf_append(buffer, static_cast<std::uint16_t>(view.length)), view.data,
              view.length);
  path.outbox.punt(kind, buffer);
}

void punt(Path& path, const PacketView& view, PuntKind kind, Time now) {
  if (!path.outbox.may_punt(kind, now)) return path.count.drop(Outbox::full(kind));
  punt_allowed(path, view, kind);
}

// The main core opens it; what can be seen without a key is looked at here, as of a frame.
void punt_probe(Path& path, const PacketView& view, const WirePacket& packet, Time now) {
  const auto header = read_frame_header(packet.payload, PacketType::path_probe);
  const bool is_probe = header && header->spi.lane() == 0 &&
                        packet.payload.size() >= limits::min_frame_size &&
                        packet.payload.size() <= limits::max_frame_size;
  Session* const session = is_probe ? path.sessions.session_of(header->spi) : nullptr;
  if (session == nullptr) return path.count.drop(DropReason::bad_probe);
  const bool is_from_route = packet.source == session->route.destination;
  const PuntKind kind = is_from_route ? PuntKind::probe : PuntKind::stray_probe;
  if (!path.outbox.may_probe(*session, kind, now)) return path.count.drop(DropReason::probe_full);
  punt_allowed(path, view, kind);
}

PuntKind sender_kind(const Path& path, const Endpoint& source) {
  const bool is_expected = path.expected == nullptr || path.expected->contains(source);
  return is_expected ? PuntKind::handshake : PuntKind::stranger;
}

void claim(Path& path, PacketView& view, Bytes frame) {
  path.claims[path.claim_count++] = {.bytes = frame, .view = &view};
}

void sort(Path& path, PacketView& view, Time now) {
  // The wire is untagged. A tag that the port took out is a priority (802.1Q: VLAN 0), as fabrics
  // add them, or belongs to somebody else's network.
  if (view.vlan_tpid != 0 && (view.vlan_tci & vlan_id) != 0)
    return path.count.drop(DropReason::wire_foreign);
  const Bytes bytes{view.data, view.length};
  if (const Bytes frame = plain_frame(bytes, path.self); !frame.empty()) [[likely]]
    return claim(path, view, frame);
  const WirePacket packet = classify(bytes, path.self);
  switch (packet.kind) {
    case WireKind::frame:
      return claim(path, view, packet.payload);
    case WireKind::handshake:
      return punt(path, view, sender_kind(path, packet.source), now);
    case WireKind::probe:
      return punt_probe(path, view, packet, now);
    case WireKind::bad_handshake:
      return path.count.drop(DropReason::bad_handshake);
    case WireKind::neighbour:
      return punt(path, view, PuntKind::neighbour, now);
    case WireKind::echo:
      return punt(path, view, PuntKind::echo, now);
    case WireKind::foreign:
      return path.count.drop(DropReason::wire_foreign);
    case WireKind::malformed:
      return path.count.drop(DropReason::wire_malformed);
    case WireKind::fragment:
      return path.count.drop(DropReason::wire_fragment);
  }
}

// Outer headers and the frame's own, of all packets, before the first is looked at.
void fetch(std::span<const PacketView> views) {
  for (const PacketView& view : views) {
    __builtin_prefetch(view.data);
    __builtin_prefetch(view.data + 64);
  }
}

// As many packets as there are buffers for: what does not fit waits at the port, where a loss
// is the port's to count.
std::size_t affordable(Path& path) {
  if (path.buffers.ensure(burst)) return burst;
  return std::min(burst, path.buffers.size());
}

}  // namespace

void receive(Path& path, Time now) {
  path.claim_count = 0;
  path.received =
      path.wire.receive(std::span{path.views}.first(std::min(path.most, affordable(path))));
  path.count.add(Counter::wire_received, path.received);
  fetch(std::span{path.views}.first(path.received));
  for (PacketView& view : std::span{path.views}.first(path.received)) sort(path, view, now);
  path.count.add(Counter::frames_received, path.claim_count);
}

}  // namespace penstock::dataplane::inbound
