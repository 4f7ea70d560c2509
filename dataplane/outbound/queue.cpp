// Copies what links whose frames are timed have to say into their queues, where it waits for a
// tick.
#include "penstock/wire/inner_packet.hpp"

#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {
namespace {

PacketClass class_of(PriorityBy by, const PacketView& view) {
  const Bytes packet{view.data, view.length};
  switch (by) {
    case PriorityBy::dscp:
      return class_by_dscp(packet);
    case PriorityBy::vlan:
      return view.vlan_tpid != 0 ? class_of_tag(view.vlan_tci) : class_by_priority(packet);
    case PriorityBy::none:
      break;
  }
  return PacketClass::normal;
}

void queue(Path& path, LinkLane& lane, const PacketView& view, Time now) {
  if (lane.is_stopped()) [[unlikely]]
    return path.count.drop(DropReason::link_stopped);
  BlockLead lead;
  const BlockPieces parts = pieces_of(view, lead);
  const std::uint8_t dscp =
      lane.carrier->out->copies_dscp ? dscp_in(Bytes{view.data, view.length}) : std::uint8_t{0};
  const bool was_empty = lane.queues.is_empty();
  if (!lane.queues.push(class_of(lane.shaping.priority, view), parts.kind, parts.pieces, now, dscp))
    return path.count.drop(DropReason::queue_full);
  ++path.paced.packets;
  if (was_empty) lane.waits_since = now;
  if (lane.is_capped()) wake_lane(path, lane, now);
}

}  // namespace

void queue(Path& path, Time now) {
  std::size_t left = 0;
  for (const Packet& packet : std::span{path.packets}.first(path.packet_count)) {
    LinkLane* const lane = packet.sa->session->lane;
    if (lane == nullptr) {
      path.packets[left++] = packet;
      continue;
    }
    queue(path, *lane, *packet.view, now);
    // A burst of long packets takes longer than an interval.
    pace(path, path.time(now));
  }
  path.packet_count = left;
}

void queue_control(Path& path, OutboundSa& sa, Bytes block, Time now) {
  LinkLane& lane = *sa.session->lane;
  if (!sa.has_next_hop) return;  // it would keep what can leave from doing so; it is said again
  if (!lane.control.push(sa, block)) return path.count.drop(DropReason::control_full);
  wake_lane(path, lane, now);
}

void queue_dummy(Path& path, OutboundSa& sa, Time now) {
  LinkLane& lane = *sa.session->lane;
  if (!sa.has_next_hop) return;  // as above
  // Every tick sends a frame of the link's session, but for the end of a packet on another.
  const bool is_next = !lane.hand.block || lane.hand.sa == &sa;
  if (!lane.is_capped() && lane.carrier == sa.session && is_next) return;
  if (!lane.control.push_frame(sa)) return path.count.drop(DropReason::control_full);
  wake_lane(path, lane, now);
}

}  // namespace penstock::dataplane::outbound
