// What may not cross at all, and that nothing crosses without a session.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using test::make_packet;
using test::TestPair;

TEST(OutboundReceive, DropsMacControl) {
  TestPair pair;
  pair.connect();
  pair.a.plain.incoming.push_back({.bytes = make_packet(60, 0x8808)});
  // Behind a tag it is somebody's ordinary packet.
  pair.a.plain.incoming.push_back(
      {.bytes = make_packet(60, 0x8808), .vlan_tpid = 0x8100, .vlan_tci = 5});
  pair.run();
  EXPECT_EQ(pair.a.count()[DropReason::mac_control], 1u);
  EXPECT_EQ(pair.b.plain.sent.size(), 1u);
  expect_balanced(pair);
}

TEST(OutboundReceive, PassesWhatBridgesKeepToThemselves) {
  TestPair pair;
  pair.connect();
  // LLDP, LACP, 802.1X, and spanning tree, which has a length there.
  for (const std::uint16_t ethertype : std::array<std::uint16_t, 4>{0x88cc, 0x8809, 0x888e, 0x26})
    pair.a.plain.incoming.push_back({.bytes = make_packet(60, ethertype)});
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 4u);
}

TEST(OutboundReceive, DropsWhatHasNoEthernetHeader) {
  TestPair pair;
  pair.connect();
  pair.a.plain.incoming.push_back({.bytes = make_packet(13)});
  pair.a.plain.incoming.push_back({.bytes = make_packet(14)});
  pair.run();
  EXPECT_EQ(pair.a.count()[DropReason::packet_too_short], 1u);
  EXPECT_EQ(pair.b.plain.sent.size(), 1u);
  expect_balanced(pair);
}

TEST(OutboundReceive, DropsWhatIsLongerThanAnyPacket) {
  TestPair pair{{.plain_mtu = 65535}};
  pair.connect();
  pair.a.plain.incoming.push_back({.bytes = make_packet(limits::max_packet + 1)});
  pair.a.plain.incoming.push_back(
      {.bytes = make_packet(limits::max_packet - 3), .vlan_tpid = 0x8100});
  pair.a.plain.incoming.push_back({.bytes = make_packet(limits::max_packet)});
  pair.run();
  EXPECT_EQ(pair.a.count()[DropReason::packet_too_long], 2u);
  ASSERT_EQ(pair.b.plain.sent.size(), 1u);
  EXPECT_EQ(pair.b.plain.sent[0].bytes.size(), limits::max_packet);
  expect_balanced(pair);
}

TEST(OutboundSteer, FailsClosed) {
  TestPair pair;
  pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
  pair.run();
  EXPECT_EQ(pair.a.count()[DropReason::no_session], 1u);

  // An unconfirmed session is none.
  pair.a.install(test::make_session(), pair.now);
  pair.a.worker->turn(pair.now);
  pair.a.wire.sent.clear();
  pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
  pair.a.worker->turn(pair.now);
  EXPECT_EQ(pair.a.count()[DropReason::no_session], 2u);
  EXPECT_TRUE(pair.a.wire.sent.empty());
  expect_balanced(pair);
}

}  // namespace
}  // namespace penstock::dataplane
