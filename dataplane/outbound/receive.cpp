// Takes a burst from the plain port and leaves what may cross a link at all.
#include "penstock/wire/outer.hpp"

#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {
namespace {

// PAUSE and its kin (IEEE 802.3 clause 31) steer the one cable they are sent on.
bool is_mac_control(const PacketView& view) {
  return view.vlan_tpid == 0 && load_be16(view.data + ethertype_at) == ethertype_mac_control;
}

}  // namespace

void receive(Path& path) {
  path.received = path.plain.receive(path.views);
  path.packet_count = 0;
  path.next_packet = 0;
  std::uint64_t bytes = 0;
  for (const PacketView& view : std::span{path.views}.first(path.received)) {
    const std::size_t length = view.length + (view.vlan_tpid != 0 ? BlockLead::tag : 0);
    bytes += length;
    if (view.length < ethernet_header) [[unlikely]] {
      path.count.drop(DropReason::packet_too_short);
    } else if (length > limits::max_packet) [[unlikely]] {
      path.count.drop(DropReason::packet_too_long);
    } else if (is_mac_control(view)) [[unlikely]] {
      path.count.drop(DropReason::mac_control);
    } else {
      path.packets[path.packet_count++].view = &view;
    }
  }
  path.count.add(Counter::plain_received, path.received);
  path.count.add(Counter::plain_received_bytes, bytes);
}

}  // namespace penstock::dataplane::outbound
