// Writes rebuilt packets into the plain port's transmit slots.
#include <algorithm>
#include <cstring>
#include <optional>

#include "penstock/base/copy.hpp"
#include "penstock/wire/outer.hpp"

#include "dataplane/inbound/deliver.hpp"

namespace penstock::dataplane::inbound {
namespace {

constexpr std::size_t header_size = limits::virtio_net_header;

// What the port is given: a packet, and what is still to do to it.
struct Packet {
  Bytes bytes{};
  VirtioNetHeader offload{};
};

// A packet that the far site sent unfinished. Its header is a claim of theirs; ours is built
// from the packet itself.
std::expected<Packet, DropReason> read_unfinished(const Path& path, Bytes block) {
  if (block.size() < header_size) return std::unexpected{DropReason::bad_offload};
  const Bytes packet = block.subspan(header_size);
  if (packet.size() < ethernet_header) return std::unexpected{DropReason::malformed_packet};
  const auto claimed = read_virtio_net(block.first<header_size>());
  const auto rebuilt = rebuild_virtio_net(packet, claimed);
  if (!rebuilt) return std::unexpected{DropReason::bad_offload};
  if (!path.plain_takes_offload && !rebuilt->is_finished())
    return std::unexpected{DropReason::needs_offload};
  const std::size_t longest = rebuilt->gso_type == VirtioNetHeader::gso_none
                                  ? packet.size()
                                  : std::size_t{rebuilt->header_length} + rebuilt->gso_size;
  if (longest > path.longest_packet) return std::unexpected{DropReason::delivery_too_long};
  return Packet{.bytes = packet, .offload = *rebuilt};
}

std::expected<Packet, DropReason> read_packet(const Path& path, BlockKind kind, Bytes block) {
  if (kind == BlockKind::offload_ethernet) return read_unfinished(path, block);
  // An IP packet has no place on an Ethernet port.
  if (kind != BlockKind::ethernet || block.size() < ethernet_header)
    return std::unexpected{DropReason::malformed_packet};
  if (block.size() > path.longest_packet) return std::unexpected{DropReason::delivery_too_long};
  return Packet{.bytes = block};
}

void hear_handshake(Path& path, const InboundSa& sa, Bytes message, Time now) {
  if (!path.outbox.may_pass_up(*sa.session, now) || !path.punt_buffers.ensure(1))
    return path.count.drop(DropReason::control_full);
  rte_mbuf* buffer = path.punt_buffers.pop();
  char* const room = rte_pktmbuf_append(buffer, limits::handshake_message);
  check(room != nullptr, "a buffer for the main core takes a handshake message");
  std::memcpy(room, message.data(), message.size());
  path.outbox.pass_up(sa.spi, buffer);
}

void hear_challenge(Path& path, const InboundSa& sa, Bytes nonce, Time now) {
  Trace trace{.kind = Trace::Kind::challenge, .spi = sa.spi};
  std::ranges::copy(nonce, trace.nonce.begin());
  if (!path.outbox.may_trace(*sa.session, now) || !path.outbox.trace(trace))
    path.count.drop(DropReason::control_full);
}

// It says something of the address that its frame came from.
void hear_response(Path& path, const InboundSa& sa, Bytes nonce, Time now) {
  if (!sa.is_followed) return path.count.drop(DropReason::bad_control);
  Trace trace{.kind = Trace::Kind::response, .spi = sa.spi, .from = source_of(path.read_frame)};
  std::ranges::copy(nonce, trace.nonce.begin());
  if (!path.outbox.may_trace(*sa.session, now) || !path.outbox.trace(trace))
    path.count.drop(DropReason::control_full);
}

// Only the far site can say these: what it says is passed up, and an empty block is a keepalive.
void hear_control(Path& path, const InboundSa& sa, Bytes block, Time now) {
  if (block.empty()) return;
  const Bytes said = block.subspan(control_header);
  switch (static_cast<ControlType>(load_u8(block.data()))) {
    case ControlType::handshake:
      if (said.size() == limits::handshake_message) return hear_handshake(path, sa, said, now);
      break;
    case ControlType::challenge:
      if (said.size() == challenge_nonce) return hear_challenge(path, sa, said, now);
      break;
    case ControlType::response:
      if (said.size() == challenge_nonce) return hear_response(path, sa, said, now);
      break;
    case ControlType::probe:
    case ControlType::probe_answer:
    case ControlType::report:
      return hear_report(path, sa, block, now);
  }
  path.count.drop(DropReason::bad_control);
}

std::optional<DropReason> deliver(Path& path, const Packet& packet) {
  TxSlot* slot = next_slot(path);
  if (slot == nullptr) return DropReason::plain_tx_full;
  if (packet.bytes.size() > slot->capacity) return DropReason::delivery_too_long;
  copy_bytes(slot->data, packet.bytes);
  slot->length = static_cast<std::uint32_t>(packet.bytes.size());
  slot->offload = packet.offload;
  path.delivery.lengths[path.delivery.used++] = slot->length;
  return std::nullopt;
}

}  // namespace

void emit(Path& path, const InboundSa& sa, BlockKind kind, Bytes block, Time now) {
  if (kind == BlockKind::padding) return;
  if (kind == BlockKind::control) return hear_control(path, sa, block, now);
  path.count.add(Counter::packets_rebuilt);
  const auto packet = read_packet(path, kind, block);
  if (!packet) return path.count.drop(packet.error());
  if (!is_of_link(path, sa, packet->bytes)) return path.count.drop(DropReason::bad_vlan);
  if (const auto reason = deliver(path, *packet)) path.count.drop(*reason);
}

void commit(Path& path) {
  Delivery& delivery = path.delivery;
  if (delivery.slots.empty()) return;
  const std::size_t used = delivery.used;
  const std::size_t accepted = path.plain.commit(used);
  path.count.add(Counter::delivered, accepted);
  path.count.drop(DropReason::plain_tx_full, used - accepted);
  for (std::size_t i = 0; i < accepted; ++i)
    path.count.add(Counter::delivered_bytes, delivery.lengths[i]);
  delivery.slots = {};
  delivery.used = 0;
}

}  // namespace penstock::dataplane::inbound
