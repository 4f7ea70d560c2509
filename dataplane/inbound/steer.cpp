// Finds the SA that each frame names, and looks at everything that can be checked without a
// key; only what may be good is taken into a buffer of ours and costs crypto.
#include <cstring>
#include <optional>
#include <utility>

#include "dataplane/inbound/path.hpp"

namespace penstock::dataplane::inbound {
namespace {

DropReason reason_of(FrameHeaderError error) {
  switch (error) {
    case FrameHeaderError::too_short:
      return DropReason::bad_length;
    case FrameHeaderError::bad_type:
      return DropReason::bad_type;
    case FrameHeaderError::bad_version:
      return DropReason::bad_version;
    case FrameHeaderError::bad_zero:
    case FrameHeaderError::bad_spi:
      break;
  }
  return DropReason::bad_header;
}

std::optional<DropReason> look(const InboundSa& sa, Bytes frame, SequenceNumber sequence) {
  if (frame.size() != sa.shape().size) return DropReason::bad_length;
  if (sa.failed_opens >= sa.max_failed_opens) return DropReason::open_limit;
  switch (sa.window.look(sequence)) {
    case ReplayVerdict::fresh:
      return std::nullopt;
    case ReplayVerdict::replayed:
      return DropReason::replayed;
    case ReplayVerdict::too_old:
      break;
  }
  return DropReason::too_old;
}

// Of a packet that classify found to be a UDP datagram: where it came from.
Endpoint source_in(const PacketView& view, const Claim& claim) {
  constexpr std::size_t source_v4 = ethernet_header + 12;
  constexpr std::size_t source_v6 = ethernet_header + 8;
  const bool is_v4 = load_be16(view.data + ethernet_header - 2) == ethertype_ipv4;
  return {.address = IpAddress::from(is_v4 ? Bytes{view.data + source_v4, 4}
                                           : Bytes{view.data + source_v6, 16}),
          .port = load_be16(claim.bytes.data() - udp_header)};
}

// Congestion experienced, in the same packet's traffic class: the lowest bits of the second byte of
// an IPv4 header, four bits higher in an IPv6 one (RFC 3168, RFC 8200).
bool is_ce_in(const PacketView& view) {
  constexpr std::uint8_t ce = 3;
  const std::uint8_t second = load_u8(view.data + ethernet_header + 1);
  const bool is_v4 = load_u8(view.data + ethernet_header) >> 4 == 4;
  return ((is_v4 ? second : second >> 4) & ce) == ce;
}

// Where the frames are of several SAs: their slots, and then they, before the first is looked at.
void fetch(const Path& path) {
  if (path.claim_count < 2 || path.sessions.all().size() < 2) return;
  std::array<FrameHeader, burst> several;
  std::size_t count = 0;
  Spi last;
  for (const Claim& claim : std::span{path.claims}.first(path.claim_count)) {
    if (claim.bytes.size() < frame_layout::header) continue;
    const Spi spi{load_be32(&claim.bytes[frame_layout::spi])};
    if (spi == last) continue;
    last = spi;
    path.sessions.fetch_slot(spi);
    several[count++] = {spi, {load_be64(&claim.bytes[frame_layout::sequence])}};
  }
  if (count < 2) return;
  for (const FrameHeader& header : std::span{several}.first(count))
    path.sessions.fetch(header.spi, header.sequence);
}

// The frame in a buffer of ours: the port's mbuf where there is one, else a copy.
void take(Path& path, const Claim& claim, Frame& frame) {
  PacketView& view = *claim.view;
  if (view.mbuf != nullptr) {
    frame.buffer = std::exchange(view.mbuf, nullptr);
    frame.bytes = rte_pktmbuf_mtod(frame.buffer, std::byte*) + (claim.bytes.data() - view.data);
    return;
  }
  frame.buffer = path.buffers.pop();
  frame.bytes = frame_in(frame.buffer);
  std::memcpy(frame.bytes, claim.bytes.data(), claim.bytes.size());
}

}  // namespace

void steer(Path& path) {
  path.frame_count = 0;
  fetch(path);
  InboundSa* sa = nullptr;  // of the frame before: often of this one, too
  for (const Claim& claim : std::span{path.claims}.first(path.claim_count)) {
    const auto header = read_frame_header(claim.bytes);
    if (!header) {
      path.count.drop(reason_of(header.error()));
      continue;
    }
    if (sa == nullptr || sa->spi != header->spi) {
      sa = path.sessions.find(header->spi);
      if (sa == nullptr) {
        path.count.drop(DropReason::unknown_spi);
        continue;
      }
      sa->keys.fetch();
      sa->session->fetch();
    }
    if (const auto reason = look(*sa, claim.bytes, header->sequence)) {
      path.count.drop(*reason);
      continue;
    }
    Frame& frame = path.frames[path.frame_count++];
    // One by one: the compiler would gather them on the stack and wait for them there.
    frame.sa = sa;
    frame.sequence = header->sequence;
    frame.is_ce = is_ce_in(*claim.view);
    take(path, claim, frame);
    if (sa->is_followed) [[unlikely]]
      note_source(frame.bytes, source_in(*claim.view, claim));
  }
}

}  // namespace penstock::dataplane::inbound
