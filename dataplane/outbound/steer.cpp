// Chooses the SA that carries each packet: of its link's session, and its VLAN says which link.
// Fails closed: without a live session nothing leaves.
#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {
namespace {

OutboundSa* carrier(Path& path, std::uint16_t link) {
  Session* session = path.sessions.current(link);
  return session != nullptr && session->out ? &*session->out : nullptr;
}

void steer_all(Path& path, OutboundSa* sa) {
  if (sa == nullptr) {
    path.count.drop(DropReason::no_session, path.packet_count);
    path.packet_count = 0;
    return;
  }
  for (Packet& packet : std::span{path.packets}.first(path.packet_count)) packet.sa = sa;
}

void steer_by_vlan(Path& path, const VlanMap& vlans) {
  std::size_t carried = 0;
  for (const Packet& packet : std::span{path.packets}.first(path.packet_count)) {
    OutboundSa* const sa = carrier(path, vlans.link_of(vlan_of(*packet.view)));
    if (sa == nullptr) {
      path.count.drop(DropReason::no_session);
      continue;
    }
    path.packets[carried++] = {.view = packet.view, .sa = sa};
  }
  path.packet_count = carried;
}

}  // namespace

void fetch(const Path& path) {
  const OutboundSa* last = nullptr;
  for (const Packet& packet : std::span{path.packets}.first(path.packet_count)) {
    if (packet.sa == last) continue;
    last = packet.sa;
    prefetch(last, sizeof *last);
  }
}

void steer(Path& path) {
  const VlanMap& vlans = path.sessions.vlans();
  if (vlans.is_used())
    steer_by_vlan(path, vlans);
  else
    steer_all(path, carrier(path, vlans.link_of(0)));
}

}  // namespace penstock::dataplane::outbound
