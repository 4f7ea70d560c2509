#include "dataplane/steering/flow_hash.hpp"

#include <array>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "steering_packets.hpp"

namespace penstock::dataplane {
namespace {

using test::Flow;
using test::packet_of;
using test::tagged;

TEST(FlowHash, IsOfAddressesAndPorts) {
  const Flow flow;
  const std::uint32_t hash = flow_hash(packet_of(flow));
  EXPECT_EQ(flow_hash(packet_of(flow, 900)), hash) << "what is in a packet does not matter";
  EXPECT_NE(flow_hash(packet_of({.source = 7})), hash);
  EXPECT_NE(flow_hash(packet_of({.destination = 7})), hash);
  EXPECT_NE(flow_hash(packet_of({.source_port = 7})), hash);
  EXPECT_NE(flow_hash(packet_of({.destination_port = 7})), hash);
  EXPECT_EQ(flow_hash(packet_of({.protocol = 1, .source_port = 7})),
            flow_hash(packet_of({.protocol = 1, .source_port = 8})))
      << "ICMP has no ports";
}

TEST(FlowHash, LooksThroughTwoTags) {
  for (const bool v6 : {false, true}) {
    const auto packet = packet_of({.v6 = v6});
    const std::uint32_t hash = flow_hash(packet);
    EXPECT_EQ(flow_hash(tagged(packet, 0x8100, 5)), hash);
    EXPECT_EQ(flow_hash(tagged(tagged(packet, 0x8100, 0xe005), 0x88a8, 9)), hash);
    EXPECT_NE(flow_hash(packet_of({.v6 = v6, .source_port = 7})), hash);
  }
}

TEST(FlowHash, IsTheSameForAllFragmentsOfADatagram) {
  const auto first = packet_of({.fragment = 0x2000});
  const auto last = packet_of({.source_port = 999, .fragment = 0x00b9});
  EXPECT_EQ(flow_hash(first), flow_hash(last));
  EXPECT_EQ(flow_hash(packet_of({.protocol = 44, .v6 = true, .source_port = 1})),
            flow_hash(packet_of({.protocol = 44, .v6 = true, .source_port = 2})));
}

TEST(FlowHash, IsOfMacAddressesWithoutIp) {
  auto packet = packet_of({});
  packet[12] = std::byte{0x99};
  const std::uint32_t hash = flow_hash(packet);
  auto other_contents = packet;
  other_contents[40] = std::byte{1};
  EXPECT_EQ(flow_hash(other_contents), hash);
  for (const std::size_t at : {0u, 5u, 6u, 11u, 13u}) {
    auto other = packet;
    other[at] ^= std::byte{1};
    EXPECT_NE(flow_hash(other), hash) << "byte " << at;
  }
}

TEST(FlowHash, TakesPacketsCutAnywhere) {
  for (const bool v6 : {false, true}) {
    const auto packet = tagged(tagged(packet_of({.v6 = v6}), 0x8100, 5), 0x88a8, 9);
    for (std::size_t length = 0; length <= packet.size(); ++length) {
      const std::vector<std::byte> cut(packet.begin(),
                                       packet.begin() + static_cast<std::ptrdiff_t>(length));
      (void)flow_hash(cut);
    }
  }
}

TEST(FlowHash, SpreadsFlowsEvenly) {
  std::array<unsigned, 3> flows{};
  for (std::uint16_t port = 0; port < 3000; ++port)
    ++flows[owner_of_flow(flow_hash(packet_of({.source_port = port})), 3)];
  for (const unsigned count : flows) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace penstock::dataplane
