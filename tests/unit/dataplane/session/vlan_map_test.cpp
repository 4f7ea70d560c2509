#include "dataplane/session/vlan_map.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/packets.hpp"

namespace penstock::dataplane {
namespace {

// An Ethernet packet behind tags of these control informations.
std::vector<std::byte> tagged(std::initializer_list<std::uint16_t> tags,
                              std::uint16_t tpid = 0x8100) {
  std::vector<std::byte> packet(60 + 4 * tags.size());
  std::size_t at = 12;
  for (const std::uint16_t tag : tags) {
    store_be16(&packet[at], tpid);
    store_be16(&packet[at + 2], tag);
    at += 4;
  }
  store_be16(&packet[at], 0x0800);
  return packet;
}

TEST(Vlan, is_the_outermost_tags) {
  EXPECT_EQ(vlan_in(tagged({})), 0);
  EXPECT_EQ(vlan_in(tagged({7})), 7);
  EXPECT_EQ(vlan_in(tagged({7, 8})), 7);
  EXPECT_EQ(vlan_in(tagged({7}, 0x88a8)), 7);
  EXPECT_EQ(vlan_in(tagged({0xe007})), 7);  // with a priority
  EXPECT_EQ(vlan_in(tagged({7}, 0x9100)), 0);
}

TEST(Vlan, of_a_priority_alone_is_looked_for_behind_it) {
  EXPECT_EQ(vlan_in(tagged({0xe000})), 0);
  EXPECT_EQ(vlan_in(tagged({0xe000, 7})), 7);
  EXPECT_EQ(vlan_in(tagged({0, 0, 0, 0, 7})), 7);
  EXPECT_EQ(vlan_in(tagged({0, 0, 0, 0, 0, 7})), 4095);  // which nobody has
}

TEST(Vlan, of_a_packet_that_ends_in_its_tag_is_none) {
  const auto packet = tagged({7});
  EXPECT_EQ(vlan_in(Bytes{packet}.first(15)), 0);
  EXPECT_EQ(vlan_in(Bytes{packet}.first(16)), 7);
  EXPECT_EQ(vlan_in(Bytes{packet}.first(14)), 0);
}

TEST(Vlan, may_have_been_taken_out_by_the_port) {
  const auto plain = tagged({});
  const auto inner = tagged({8});
  const auto view = [](const auto& packet, std::uint16_t tci) {
    return PacketView{.data = packet.data(),
                      .length = static_cast<std::uint32_t>(packet.size()),
                      .vlan_tpid = 0x8100,
                      .vlan_tci = tci};
  };
  EXPECT_EQ(vlan_of(view(plain, 0xe007)), 7);
  EXPECT_EQ(vlan_of(view(inner, 7)), 7);
  EXPECT_EQ(vlan_of(view(inner, 0xe000)), 8);
  EXPECT_EQ(vlan_of(view(plain, 0xe000)), 0);
}

TEST(VlanMap, without_vlans_all_packets_are_the_one_links) {
  VlanMap map;
  EXPECT_EQ(map.link_of(0), VlanMap::nobody);
  map.give(3, 0);
  EXPECT_FALSE(map.is_used());
  EXPECT_EQ(map.link_of(0), 3);
  EXPECT_EQ(map.link_of(7), 3);
}

TEST(VlanMap, a_vlan_is_its_links_and_the_rest_is_anothers) {
  VlanMap map;
  map.give(3, 0);
  map.give(5, 7);
  EXPECT_TRUE(map.is_used());
  EXPECT_EQ(map.link_of(7), 5);
  EXPECT_EQ(map.link_of(8), 3);
  EXPECT_EQ(map.link_of(0), 3);
  EXPECT_GE(map.link_of(4095), VlanMap::nobody);
  map.give(5, 7);  // as at every rekey
  EXPECT_EQ(map.link_of(7), 5);
}

TEST(VlanMap, a_link_has_one_vlan) {
  VlanMap map;
  map.give(3, 0);
  map.give(5, 7);
  map.give(5, 8);
  EXPECT_EQ(map.link_of(8), 5);
  EXPECT_EQ(map.link_of(7), VlanMap::unborn);
  map.give(4, 8);  // and a VLAN one link
  EXPECT_EQ(map.link_of(8), 4);
  map.forget(5, 8);
  EXPECT_EQ(map.link_of(8), 4);
}

TEST(VlanMap, a_reserved_vlan_is_no_other_links) {
  VlanMap map;
  map.give(3, 0);
  map.reserve(7);
  EXPECT_TRUE(map.is_used());
  EXPECT_EQ(map.link_of(7), VlanMap::unborn);
  map.give(5, 7);
  EXPECT_EQ(map.link_of(7), 5);
  map.reserve(7);
  EXPECT_EQ(map.link_of(7), 5);
}

TEST(VlanMap, links_that_swap_their_vlans_leave_nothing_to_a_third) {
  VlanMap map;
  map.give(3, 0);
  map.give(5, 10);
  map.give(6, 20);
  map.give(5, 20);
  EXPECT_EQ(map.link_of(20), 5);
  EXPECT_EQ(map.link_of(10), VlanMap::unborn);
  map.give(6, 10);
  EXPECT_EQ(map.link_of(20), 5);
  EXPECT_EQ(map.link_of(10), 6);
  EXPECT_EQ(map.link_of(0), 3);
  EXPECT_EQ(map.link_of(30), 3);
}

TEST(VlanMap, what_is_gone_stays_shut_until_another_takes_it) {
  VlanMap map;
  map.give(3, 0);
  map.give(5, 7);
  map.reserve(8);
  map.forget(5, 7);
  map.forget(6, 8);  // it never had a session
  map.forget(7, 9);  // of which nothing was said before
  for (std::uint16_t vlan = 7; vlan <= 9; ++vlan) EXPECT_EQ(map.link_of(vlan), VlanMap::unborn);
  EXPECT_TRUE(map.is_used());
  map.give(4, 7);
  EXPECT_EQ(map.link_of(7), 4);
  map.forget(5, 7);  // again
  EXPECT_EQ(map.link_of(7), 4);
  map.forget(3, 0);
  EXPECT_EQ(map.link_of(0), VlanMap::nobody);
  map.forget(3, 0);  // again
  EXPECT_EQ(map.link_of(0), VlanMap::nobody);
  map.give(9, 0);
  EXPECT_EQ(map.link_of(0), 9);
}

}  // namespace
}  // namespace penstock::dataplane
