// Which link a packet of the plain port belongs to, by its VLAN. A VLAN stays its link's while
// the link is down, and nobody's when the link is gone: what is meant for one site never leaves to
// another.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"

#include "dataplane/device/port.hpp"

namespace penstock::dataplane {

// The VLAN of the outermost tag (IEEE 802.1Q or 802.1ad) that names one. Tags that carry only a
// priority are looked through, as hosts do. 0: the packet is of none.
[[nodiscard]] std::uint16_t vlan_in(Bytes packet);
[[nodiscard]] std::uint16_t vlan_of(const PacketView& view);

class VlanMap {
 public:
  static constexpr std::uint16_t vlans = 4096;
  static constexpr std::uint16_t max_vlan = 4094;  // IEEE 802.1Q: 4095 is no packet's
  // No link's number. Packets of a VLAN that some link was said to have, and that is no living
  // link's, belong to `unborn`.
  static constexpr std::uint16_t nobody = limits::max_links;
  static constexpr std::uint16_t unborn = nobody + 1;
  static constexpr std::size_t links = unborn + 1;

  VlanMap();

  // Whether VLANs tell links apart at all.
  [[nodiscard]] bool is_used() const { return used_ > 0; }
  // Whose packets of this VLAN are, or without one (0); below `links`.
  [[nodiscard]] std::uint16_t link_of(std::uint16_t vlan) const {
    const std::uint16_t own = link_of_[vlan];
    return own != nobody ? own : link_of_[0];
  }

  // The VLAN is some link's, of which nothing else is known yet. From then on it never falls to
  // the link without one, whatever becomes of its own.
  void reserve(std::uint16_t vlan);
  // From now on the link has this VLAN and no other; 0: what no other link takes.
  void give(std::uint32_t link, std::uint16_t vlan);
  // The link, to which this VLAN was said to belong (0: none was), is no more.
  void forget(std::uint32_t link, std::uint16_t vlan);

 private:
  static constexpr std::uint16_t none = 0xffff;

  void set(std::uint16_t vlan, std::uint16_t link);
  // Whose a VLAN is that a link has left: two that swap theirs do so one after the other, and what
  // is neither's in between must not leave to a third.
  [[nodiscard]] static std::uint16_t left(std::uint16_t vlan) {
    return vlan == 0 ? nobody : unborn;
  }

  std::vector<std::uint16_t> link_of_;  // by VLAN
  std::vector<std::uint16_t> vlan_of_;  // by link
  std::size_t used_ = 0;                // VLANs, not 0, that are somebody's
};

}  // namespace penstock::dataplane
