#include "penstock/ipc/drop_reason.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

struct Row {
  DropReason reason;
  DropReasonInfo info;
};

// In the order of the enum.
constexpr std::array rows{
    // plain
    Row{DropReason::no_session,
        {"no_session", Book::plain, "no live session, or no link for this VLAN"}},
    Row{DropReason::mac_control,
        {"mac_control", Book::plain, "PAUSE and its like, which never cross a link"}},
    Row{DropReason::packet_too_long,
        {"packet_too_long", Book::plain, "longer than any packet a link carries"}},
    Row{DropReason::packet_too_short,
        {"packet_too_short", Book::plain, "too short for an Ethernet header"}},
    Row{DropReason::no_frame_buffer,
        {"no_frame_buffer", Book::plain, "the frame pool had too few buffers"}},
    Row{DropReason::seal_limit,
        {"seal_limit", Book::plain, "the session's key has sealed all the frames it may"}},
    Row{DropReason::queue_full,
        {"queue_full", Book::plain, "the queue of a link with a rate has reached its bound"}},
    Row{DropReason::queue_aqm,
        {"queue_aqm", Book::plain, "the queue of a link with a rate has stood too long"}},
    Row{DropReason::link_stopped,
        {"link_stopped", Book::plain, "the link's circuit breaker is open: too much was lost"}},
    Row{DropReason::wiped_packet,
        {"wiped_packet", Book::plain, "waiting for its tick when its link ended"}},
    // frame
    Row{DropReason::bad_type, {"bad_type", Book::frame, "a type of frame that does not exist"}},
    Row{DropReason::bad_version, {"bad_version", Book::frame, "another version of the protocol"}},
    Row{DropReason::bad_header, {"bad_header", Book::frame, "a frame header that cannot be"}},
    Row{DropReason::bad_length, {"bad_length", Book::frame, "not the session's frame size"}},
    Row{DropReason::unknown_spi, {"unknown_spi", Book::frame, "no session has this SPI"}},
    Row{DropReason::replayed, {"replayed", Book::frame, "a frame that has been here before"}},
    Row{DropReason::too_old, {"too_old", Book::frame, "a frame left of the replay window"}},
    Row{DropReason::bad_tag, {"bad_tag", Book::frame, "not sealed by the far site, or altered"}},
    Row{DropReason::open_limit,
        {"open_limit", Book::frame, "the session has seen all the forgeries it may"}},
    // emit
    Row{DropReason::no_next_hop,
        {"no_next_hop", Book::emit, "the next hop has not answered ARP or neighbour discovery"}},
    Row{DropReason::wire_tx_full, {"wire_tx_full", Book::emit, "the wire port took no more"}},
    Row{DropReason::wiped_sealed,
        {"wiped_sealed", Book::emit, "waiting for its tick when all keys were wiped"}},
    // delivery
    Row{DropReason::bad_offload,
        {"bad_offload", Book::delivery, "an offload header that does not fit its packet"}},
    Row{DropReason::needs_offload,
        {"needs_offload", Book::delivery, "unfinished, and the plain port cannot finish it"}},
    Row{DropReason::malformed_packet,
        {"malformed_packet", Book::delivery, "a rebuilt packet without an Ethernet header"}},
    Row{DropReason::bad_vlan, {"bad_vlan", Book::delivery, "not of this link's VLAN"}},
    Row{DropReason::delivery_too_long,
        {"delivery_too_long", Book::delivery, "longer than the plain port can send"}},
    Row{DropReason::plain_tx_full,
        {"plain_tx_full", Book::delivery, "the plain port took no more"}},
    // wire
    Row{DropReason::wire_foreign,
        {"wire_foreign", Book::wire, "on the wire, but not for this site"}},
    Row{DropReason::wire_malformed, {"wire_malformed", Book::wire, "broken IP or UDP on the wire"}},
    Row{DropReason::bad_handshake,
        {"bad_handshake", Book::wire, "a handshake message of another length or version"}},
    Row{DropReason::wire_fragment,
        {"wire_fragment", Book::wire, "an IP fragment on the wire; links never send one"}},
    Row{DropReason::punt_full,
        {"punt_full", Book::wire, "more ARP and ping than the main core takes"}},
    Row{DropReason::handshake_full,
        {"handshake_full", Book::wire, "more handshakes from a far side's address than are taken"}},
    Row{DropReason::stranger_full,
        {"stranger_full", Book::wire, "more handshakes from unknown addresses than are taken"}},
    // fault
    Row{DropReason::bad_probe,
        {"bad_probe", Book::wire, "a path probe that the far site did not seal, or an old one"}},
    Row{DropReason::probe_full,
        {"probe_full", Book::wire, "more path probes than the main core looks at"}},
    Row{DropReason::late_frame,
        {"late_frame", Book::fault, "opened after its place in the order was given up"}},
    Row{DropReason::bad_prologue, {"bad_prologue", Book::fault, "a frame whose first bytes lie"}},
    Row{DropReason::bad_block, {"bad_block", Book::fault, "a block longer than any packet"}},
    Row{DropReason::unknown_kind, {"unknown_kind", Book::fault, "a kind of block we do not know"}},
    Row{DropReason::incomplete_packet,
        {"incomplete_packet", Book::fault, "a packet that lost a part with a lost frame"}},
    Row{DropReason::bad_control,
        {"bad_control", Book::fault, "a control message that makes no sense"}},
    Row{DropReason::control_full,
        {"control_full", Book::fault, "more control messages than the main core takes"}},
    Row{DropReason::mailbox_full,
        {"mailbox_full", Book::fault, "a worker was behind with orders from the main core"}},
    Row{DropReason::mesh_full,
        {"mesh_full", Book::fault,
         "whose it was, or who sends it, was too far behind; or the port, for who sends it"}},
    Row{DropReason::wiped_frame,
        {"wiped_frame", Book::fault, "open or held back when all keys were wiped"}},
    Row{DropReason::no_controller,
        {"no_controller", Book::fault, "a handshake message, and no control plane to take it"}},
    Row{DropReason::controller_slow,
        {"controller_slow", Book::fault, "a handshake message the control plane was slow to take"}},
    Row{DropReason::inside_gone,
        {"inside_gone", Book::fault, "a handshake message for a session that was gone"}},
    Row{DropReason::no_punt_buffer,
        {"no_punt_buffer", Book::fault, "no buffer for what the main core had to send"}},
    Row{DropReason::plain_kernel_drop,
        {"plain_kernel_drop", Book::fault, "the kernel dropped it before the plain port saw it"}},
    Row{DropReason::wire_kernel_drop,
        {"wire_kernel_drop", Book::fault, "the kernel dropped it before the wire port saw it"}},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].reason != static_cast<DropReason>(i)) return false;
  }
  return rows.size() == drop_reason_count;
}
static_assert(is_in_order(), "one row for each DropReason, in the order of the enum");

}  // namespace

const DropReasonInfo& info(DropReason reason) {
  check(reason < DropReason::count_, "a DropReason");
  return rows[static_cast<std::size_t>(reason)].info;
}

}  // namespace penstock
