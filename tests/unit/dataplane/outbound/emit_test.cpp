#include <gtest/gtest.h>

#include "penstock/wire/frame.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using test::make_packet;
using test::TestPair;

TEST(OutboundEmit, PutsTheWholeOuterHeaderBeforeAFrame) {
  for (const IpVersion version : {IpVersion::v4, IpVersion::v6}) {
    TestPair pair{{.version = version}};
    ipc::InstallSession session = test::make_session();
    session.frame_size = 1400;
    pair.connect(session);
    pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
    pair.a.worker->turn(pair.now);
    ASSERT_EQ(pair.a.wire.sent.size(), 1u);
    const Bytes packet{pair.a.wire.sent[0].bytes};
    EXPECT_TRUE(std::ranges::equal(packet.first(6), pair.a.peer_mac.bytes));
    const auto datagram = parse_udp(packet);  // checks lengths and checksums
    ASSERT_TRUE(datagram);
    EXPECT_EQ(datagram->source, pair.a.self.endpoint);
    EXPECT_EQ(datagram->destination, pair.a.peer);
    EXPECT_EQ(datagram->payload.size(), 1400u);
    EXPECT_EQ(read_frame_header(datagram->payload)->spi.value, session.remote_spi_base);
    pair.run();
    EXPECT_EQ(pair.b.plain.sent.size(), 1u);
  }
}

TEST(OutboundSeal, NumbersFramesInOrderFromZero) {
  TestPair pair;
  pair.connect();
  for (int i = 0; i < 200; ++i) pair.a.plain.incoming.push_back({.bytes = make_packet(1000)});
  for (int i = 0; i < 4; ++i) pair.a.worker->turn(pair.now);
  std::uint64_t expected = 1;  // 0 was the dummy that confirmed the session
  for (const auto& packet : pair.a.wire.sent)
    EXPECT_EQ(read_frame_header(parse_udp(packet.bytes)->payload)->sequence.value, expected++);
}

TEST(OutboundSeal, AsksForARekeyOnce) {
  TestPair pair;
  pair.connect();
  static_cast<void>(pair.a.notes());
  SealKeys& keys = pair.a.outbound(*pair.session_a).keys;
  keys.lower_limits(5, keys.limits().hard_frames);
  for (int i = 0; i < 10; ++i) {
    pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
    pair.run();
  }
  const auto notes = pair.a.notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].kind, Note::Kind::rekey_wanted);
  EXPECT_EQ(notes[0].session, pair.session_a->shares[0].get());
}

TEST(OutboundEmit, DropsWithoutANextHopUntilItIsKnown) {
  TestPair pair{{.knows_next_hop = false}, {}};
  SessionRecord& record = pair.a.install(test::make_session(), pair.now);
  pair.a.worker->turn(pair.now);  // the dummy of a new session
  EXPECT_EQ(pair.a.count()[DropReason::no_next_hop], 1u);
  EXPECT_TRUE(pair.a.wire.sent.empty());

  const MacAddress mac{{std::byte{2}, std::byte{3}}};
  pair.a.command({.kind = Command::Kind::next_hop, .mac = mac, .address = pair.a.peer.address});
  pair.a.worker->turn(pair.now);
  EXPECT_TRUE(pair.a.outbound(record).has_next_hop);
  pair.now += std::chrono::milliseconds{100};
  pair.a.worker->turn(pair.now);  // and the next
  ASSERT_EQ(pair.a.wire.sent.size(), 1u);
  EXPECT_TRUE(std::ranges::equal(Bytes{pair.a.wire.sent[0].bytes}.first(6), mac.bytes));
  expect_balanced(pair);
}

TEST(OutboundEmit, CountsWhatTheWireDoesNotTake) {
  TestPair pair;
  pair.connect();
  pair.a.wire.accepts = 2;
  for (int i = 0; i < 5; ++i) pair.a.plain.incoming.push_back({.bytes = make_packet(1400)});
  pair.run();
  EXPECT_EQ(pair.a.count()[DropReason::wire_tx_full], 3u);
  expect_balanced(pair);
}

}  // namespace
}  // namespace penstock::dataplane
