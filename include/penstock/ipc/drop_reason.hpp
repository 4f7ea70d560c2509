// Why a packet, frame or datagram was dropped. Every drop has a name, a counter and a book
// in which it stands; the books balance:
//
//   plain:     plain packets received = packed + dropped + held
//   frame:     frames received        = opened + dropped
//   emit:      frames sealed          = frames sent + dropped + held
//   delivery:  packets rebuilt        = delivered + dropped + held
//
// `fault` reasons are counted beside the books (they count events, not packets or frames).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock {

enum class DropReason : std::uint8_t {
  // plain: a packet from the plain port
  no_session,        // no live session: fail closed
  mac_control,       // PAUSE and the like never cross a link
  packet_too_long,   // longer than limits::max_packet
  packet_too_short,  // no Ethernet header
  no_frame_buffer,   // the pool had too few buffers for the packet
  seal_limit,        // the SA has sealed all the frames it may
  queue_full,        // a link with a rate: the queue has reached its bound
  queue_aqm,         // ... the queue has stood too long (RFC 8289)
  link_stopped,      // ... its circuit breaker is open
  wiped_packet,      // ... waiting when the operator had all keys wiped, or the link ended
  // frame: a datagram from the wire that claims to be a frame
  bad_type,
  bad_version,
  bad_header,  // bytes 2 and 3 not zero, or SPI 0
  bad_length,  // truncated or oversized: not the session's frame size
  unknown_spi,
  replayed,
  too_old,     // left of the replay window
  bad_tag,     // the MAC did not hold
  open_limit,  // the SA has seen all the failed opens it may
  // emit: a sealed frame
  no_next_hop,   // the next hop's MAC address is not known yet
  wire_tx_full,  // the wire port took no more
  wiped_sealed,  // waiting for its tick when the operator had all keys wiped
  // delivery: a packet rebuilt from the link
  bad_offload,        // its virtio-net header does not fit the packet
  needs_offload,      // it is unfinished and the plain port cannot finish it
  malformed_packet,   // no Ethernet header
  bad_vlan,           // of a VLAN that is not its link's
  delivery_too_long,  // longer than the plain port can send
  plain_tx_full,      // the plain port took no more
  // wire: a datagram that is neither a frame nor for the control plane
  wire_foreign,    // not for this site
  wire_malformed,  // broken IP or UDP
  bad_handshake,   // begins like a handshake message; its length, version or header is none's
  wire_fragment,   // an IP fragment
  punt_full,       // ARP or ping: the main core was behind, or the rate limit said no
  handshake_full,  // the same, a handshake message from where a far side is expected
  stranger_full,   // the same, a handshake message from anywhere else
  bad_probe,       // a path probe of no living session, replayed, or not sealed by the far side
  probe_full,      // a path probe, and the main core was behind, or the rate limit said no
  // fault: counted beside the books
  late_frame,  // opened, but its place in the order was already given up
  bad_prologue,
  bad_block,
  unknown_kind,
  incomplete_packet,  // touched a lost frame
  bad_control,        // a control block that makes no sense
  control_full,       // more control blocks than the main core takes
  mailbox_full,
  mesh_full,          // another worker's: it was too far behind to take it (see counters.hpp)
  wiped_frame,        // open or held when the operator had all keys wiped
  no_controller,      // a handshake message, and no control plane is connected
  controller_slow,    // a handshake message that the control plane was too slow to take
  inside_gone,        // a handshake message for a session that was gone
  no_punt_buffer,     // the main core had no buffer for what it had to send
  plain_kernel_drop,  // PACKET_STATISTICS: the kernel dropped before we saw it
  wire_kernel_drop,
  count_,
};

inline constexpr std::size_t drop_reason_count = static_cast<std::size_t>(DropReason::count_);

enum class Book : std::uint8_t { plain, frame, emit, delivery, wire, fault };

struct DropReasonInfo {
  std::string_view name;  // as in status and metrics
  Book book;
  std::string_view meaning;  // for docs and `penstock status --explain`
};

[[nodiscard]] const DropReasonInfo& info(DropReason reason);

}  // namespace penstock
