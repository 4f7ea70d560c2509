#include "penstock/wire/inner_packet.hpp"

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "packets.hpp"
#include "penstock/base/limits.hpp"

namespace penstock {
namespace {

using namespace test;
using enum PacketClass;

using Tags = std::initializer_list<std::uint16_t>;

// Its IPv4 header checksum is right.
Packet ipv4(std::uint8_t tos, Tags tags = {}) {
  Packet packet = ethernet(ethertype_ipv4, tags);
  const std::size_t at = packet.size();
  append_ipv4(packet, protocol_udp, udp_header + 4);
  append_udp(packet, 4);
  packet[at + 1] = std::byte{tos};
  store_be16(&packet[at + 10], 0);
  store_be16(&packet[at + 10], internet_checksum(Bytes{packet}.subspan(at, ipv4_header)));
  return packet;
}

Packet ipv6(std::uint8_t traffic_class, Tags tags = {}, std::uint8_t next = protocol_udp,
            unsigned first_byte = 0) {
  Packet packet = ethernet(ethertype_ipv6, tags);
  const std::size_t at = packet.size();
  append_ipv6(packet, next, udp_header + 4);
  append_udp(packet, 4);
  store_be16(&packet[at], static_cast<std::uint16_t>(0x600f | traffic_class << 4));
  packet[at + ipv6_header] = std::byte(first_byte);
  return packet;
}

std::uint8_t tos_of(unsigned dscp) { return static_cast<std::uint8_t>(dscp << 2); }

TEST(InnerPacket, EveryDscpHasItsClass) {
  std::array<PacketClass, 64> expected;
  expected.fill(normal);
  for (const unsigned dscp : {40u, 44u, 46u, 48u, 56u}) expected[dscp] = voice;
  for (const unsigned dscp : {24u, 26u, 28u, 30u, 32u, 34u, 36u, 38u}) expected[dscp] = video;
  for (const unsigned dscp : {1u, 8u}) expected[dscp] = bulk;
  for (unsigned dscp = 0; dscp < 64; ++dscp) {
    EXPECT_EQ(class_of_dscp(static_cast<std::uint8_t>(dscp)), expected[dscp]) << dscp;
    for (unsigned ecn = 0; ecn < 4; ++ecn) {
      const auto tos = static_cast<std::uint8_t>(tos_of(dscp) | ecn);
      EXPECT_EQ(class_by_dscp(ipv4(tos)), expected[dscp]) << dscp;
      EXPECT_EQ(class_by_dscp(ipv6(tos)), expected[dscp]) << dscp;
      EXPECT_EQ(dscp_in(ipv4(tos)), dscp);
      EXPECT_EQ(dscp_in(ipv6(tos)), dscp);
    }
  }
}

TEST(InnerPacket, TagsAreLookedThrough) {
  EXPECT_EQ(class_by_dscp(ipv4(tos_of(46), {ethertype_vlan})), voice);
  EXPECT_EQ(class_by_dscp(ipv6(tos_of(46), {ethertype_qinq, ethertype_vlan})), voice);
  EXPECT_EQ(dscp_in(ipv4(tos_of(46), {ethertype_qinq, ethertype_vlan})), 46);
  EXPECT_EQ(dscp_in(ipv4(tos_of(46), {0x9100})), 0);  // not a tag that we know
  constexpr std::uint16_t tag = ethertype_vlan;
  EXPECT_EQ(dscp_in(ipv4(tos_of(46), {tag, tag, tag, tag, tag, tag, tag, tag})), 46);
  EXPECT_EQ(dscp_in(ipv4(tos_of(46), {tag, tag, tag, tag, tag, tag, tag, tag, tag})), 0);
}

TEST(InnerPacket, WhatCallsDependOnGoesWithThem) {
  Packet arp = ethernet(ethertype_arp);
  arp.resize(60);
  EXPECT_EQ(class_by_dscp(arp), voice);
  for (unsigned type = 0; type < 256; ++type) {
    const bool is_discovery = type >= 133 && type <= 137;
    EXPECT_EQ(class_by_dscp(ipv6(0, {}, protocol_icmpv6, type)), is_discovery ? voice : normal);
    EXPECT_EQ(class_by_dscp(ipv6(0, {}, protocol_udp, type)), normal);
  }
}

TEST(InnerPacket, AllElseIsNormal) {
  for (const unsigned type : {0x0026u, 0x8809u, 0x88ccu, 0x8847u, 0x0000u}) {
    Packet packet = ethernet(static_cast<std::uint16_t>(type));
    packet.resize(60, std::byte{0xff});
    EXPECT_EQ(class_by_dscp(packet), normal);
    EXPECT_EQ(dscp_in(packet), 0);
    EXPECT_FALSE(mark_ce(BlockKind::ethernet, packet));
  }
}

TEST(InnerPacket, PrioritiesOfTags) {
  constexpr std::array<PacketClass, 8> expected = {normal, bulk,  normal, video,
                                                   video,  voice, voice,  voice};
  for (unsigned priority = 0; priority < 8; ++priority) {
    const auto tci =
        static_cast<std::uint16_t>(priority << 13 | 0x1fff);  // DEI and VLAN are no part
    EXPECT_EQ(class_of_priority(static_cast<std::uint8_t>(priority)), expected[priority]);
    EXPECT_EQ(class_of_tag(tci), expected[priority]);
    for (const std::uint16_t tag : {ethertype_vlan, ethertype_qinq}) {
      Packet packet = ipv4(tos_of(46), {tag, ethertype_vlan});
      store_be16(&packet[14], tci);
      store_be16(&packet[18], 0xe000);
      EXPECT_EQ(class_by_priority(packet), expected[priority]);
    }
  }
  EXPECT_EQ(class_by_priority(ipv4(tos_of(46))), normal);
}

bool has_right_checksum(Bytes packet, std::size_t at) {
  return internet_checksum(packet.subspan(at, ipv4_header)) == 0;
}

TEST(InnerPacket, MarksTheCapableOnly) {
  for (unsigned dscp = 0; dscp < 64; ++dscp) {
    for (unsigned ecn = 0; ecn < 4; ++ecn) {
      const auto tos = static_cast<std::uint8_t>(tos_of(dscp) | ecn);
      const auto expected = static_cast<std::uint8_t>(ecn == 0 ? tos : tos | 3);
      Packet four = ipv4(tos, {ethertype_vlan});
      EXPECT_EQ(mark_ce(BlockKind::ethernet, four), ecn != 0);
      EXPECT_EQ(four, ipv4(expected, {ethertype_vlan}));
      EXPECT_TRUE(has_right_checksum(four, 18));
      Packet six = ipv6(tos);
      EXPECT_EQ(mark_ce(BlockKind::ethernet, six), ecn != 0);
      EXPECT_EQ(six, ipv6(expected));
    }
  }
}

// RFC 1624 is about the sums that an update by subtraction alone gets wrong.
TEST(InnerPacket, EveryChecksumIsMendedRight) {
  for (unsigned id = 0; id < 0x10000; id += 7) {
    Packet packet = ipv4(2);
    store_be16(&packet[14 + 4], static_cast<std::uint16_t>(id));
    store_be16(&packet[14 + 10], 0);
    store_be16(&packet[14 + 10], internet_checksum(Bytes{packet}.subspan(14, ipv4_header)));
    ASSERT_TRUE(mark_ce(BlockKind::ethernet, packet));
    ASSERT_TRUE(has_right_checksum(packet, 14)) << id;
  }
}

TEST(InnerPacket, AWrongChecksumStaysWrong) {
  Packet packet = ipv4(2);
  packet[14 + 10] ^= std::byte{0x40};
  ASSERT_TRUE(mark_ce(BlockKind::ethernet, packet));
  EXPECT_FALSE(has_right_checksum(packet, 14));
}

TEST(InnerPacket, EveryKindOfBlock) {
  const Packet bare = ipv4(2);
  Packet ip{bare.begin() + 14, bare.end()};
  EXPECT_TRUE(mark_ce(BlockKind::ip, ip));
  EXPECT_EQ(ip[1], std::byte{3});

  Packet offload(limits::virtio_net_header);
  offload.insert(offload.end(), bare.begin(), bare.end());
  EXPECT_TRUE(mark_ce(BlockKind::offload_ethernet, offload));
  EXPECT_EQ(offload[10 + 15], std::byte{3});
  EXPECT_TRUE(has_right_checksum(offload, 10 + 14));

  for (const auto kind : {BlockKind::padding, BlockKind::control, BlockKind{9}}) {
    Packet other = bare;
    EXPECT_FALSE(mark_ce(kind, other));
    EXPECT_EQ(other, bare);
  }
}

TEST(InnerPacket, EthertypeAndVersionMustAgree) {
  Packet packet = ipv4(2);
  store_be16(&packet[12], ethertype_ipv6);
  EXPECT_FALSE(mark_ce(BlockKind::ethernet, packet));
  packet = ipv6(2);
  store_be16(&packet[12], ethertype_ipv4);
  EXPECT_FALSE(mark_ce(BlockKind::ethernet, packet));
  packet = ipv4(2);
  packet[14] = std::byte{0x44};  // a header of 16 bytes
  EXPECT_FALSE(mark_ce(BlockKind::ethernet, packet));
  packet[14] = std::byte{0x4f};  // of 60, which are not there
  EXPECT_FALSE(mark_ce(BlockKind::ethernet, packet));
}

// In memory of their exact size, so that a sanitizer sees a byte read beyond.
TEST(InnerPacket, EveryTruncationIsSafe) {
  for (const Packet& whole :
       {ipv4(tos_of(46) | 2), ipv4(tos_of(46) | 2, {ethertype_qinq, ethertype_vlan}),
        ipv6(tos_of(46) | 1), ipv6(tos_of(46) | 1, {ethertype_vlan}, protocol_icmpv6, 135)}) {
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      const auto copy = std::make_unique<std::byte[]>(length);
      std::copy_n(whole.begin(), length, copy.get());
      const MutableBytes cut{copy.get(), length};
      const bool has_ip = dscp_in(cut) == 46;
      EXPECT_EQ(class_by_dscp(cut), has_ip ? voice : normal);
      (void)class_by_priority(cut);
      EXPECT_EQ(mark_ce(BlockKind::ethernet, cut), has_ip);
      (void)mark_ce(BlockKind::ip, cut);
      (void)mark_ce(BlockKind::offload_ethernet, cut);
    }
  }
}

}  // namespace
}  // namespace penstock
