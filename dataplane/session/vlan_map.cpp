#include "dataplane/session/vlan_map.hpp"

#include <utility>

#include "penstock/wire/outer.hpp"

namespace penstock::dataplane {
namespace {

constexpr std::uint16_t vlan_bits = 0x0fff;
// Nobody stacks so many priorities. A packet that does is of the VLAN that no packet may be of.
constexpr std::size_t most_priorities = 4;
constexpr std::uint16_t no_packets_vlan = 0x0fff;

}  // namespace

std::uint16_t vlan_in(Bytes packet) {
  for (std::size_t i = 0; i <= most_priorities; ++i) {
    const std::size_t at = ethertype_at + i * vlan_tag;
    if (packet.size() < at + vlan_tag || !is_vlan_tag(load_be16(&packet[at]))) return 0;
    const std::uint16_t vlan = load_be16(&packet[at + 2]) & vlan_bits;
    if (vlan != 0) return vlan;
  }
  return no_packets_vlan;
}

std::uint16_t vlan_of(const PacketView& view) {
  if (view.vlan_tpid != 0 && (view.vlan_tci & vlan_bits) != 0) return view.vlan_tci & vlan_bits;
  return vlan_in({view.data, view.length});
}

VlanMap::VlanMap() : link_of_(vlans, nobody), vlan_of_(limits::max_links, none) {
  link_of_[no_packets_vlan] = unborn;
}

void VlanMap::set(std::uint16_t vlan, std::uint16_t link) {
  const std::uint16_t before = std::exchange(link_of_[vlan], link);
  if (before < nobody) vlan_of_[before] = none;
  if (link < nobody) vlan_of_[link] = vlan;
  if (vlan == 0) return;
  used_ += link != nobody ? 1 : 0;
  used_ -= before != nobody ? 1 : 0;
}

void VlanMap::reserve(std::uint16_t vlan) {
  if (vlan != 0 && link_of_[vlan] == nobody) set(vlan, unborn);
}

void VlanMap::give(std::uint32_t link, std::uint16_t vlan) {
  const std::uint16_t before = vlan_of_[link];
  if (before == vlan) return;
  if (before != none) set(before, left(before));
  set(vlan, static_cast<std::uint16_t>(link));
}

void VlanMap::forget(std::uint32_t link, std::uint16_t vlan) {
  if (vlan_of_[link] != none) set(vlan_of_[link], left(vlan_of_[link]));
  reserve(vlan);
}

}  // namespace penstock::dataplane
