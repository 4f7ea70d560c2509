#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

#include "dataplane/buffer_stash.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::make_packet;
using test::TestPair;

class PackTest : public testing::Test {
 protected:
  void send(std::size_t size) {
    sent.push_back(make_packet(size));
    pair.a.plain.incoming.push_back({.bytes = sent.back()});
  }
  void expect_arrived() {
    ASSERT_EQ(pair.b.plain.sent.size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(pair.b.plain.sent[i].bytes, sent[i]);
    expect_balanced(pair);
  }

  TestPair pair{{.plain_mtu = 9000}};
  std::vector<std::vector<std::byte>> sent;
};

TEST_F(PackTest, EverySizeCrossesUnchangedAndInOrder) {
  pair.connect();
  for (std::size_t size = 14; size < 9000; size += 37) send(size);
  pair.run();
  expect_arrived();
}

TEST_F(PackTest, SmallPacketsShareAFrame) {
  pair.connect();
  const auto before = pair.a.count()[Counter::frames_sealed];
  for (int i = 0; i < 20; ++i) send(60);  // 20 * (4 + 60) of 1436 bytes
  pair.run();
  expect_arrived();
  EXPECT_EQ(pair.a.count()[Counter::frames_sealed] - before, 1u);
}

TEST_F(PackTest, ABurstOfTheLongestPacketsTakesManyBatches) {
  TestPair wide{{.buffers = 8191, .plain_mtu = 65535}};
  wide.connect();
  std::vector<std::vector<std::byte>> packets;
  for (int i = 0; i < 64; ++i) {
    packets.push_back(make_packet(limits::max_packet));
    wide.a.plain.incoming.push_back({.bytes = packets.back()});
  }
  wide.a.worker->turn(wide.now);  // all of it in one turn
  EXPECT_EQ(wide.a.count()[Counter::packed], 64u);
  EXPECT_GT(wide.a.wire.sent.size(), 64u * 45);
  wide.run();
  ASSERT_EQ(wide.b.plain.sent.size(), 64u);
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(wide.b.plain.sent[i].bytes, packets[i]);
  expect_balanced(wide);
}

TEST_F(PackTest, TheSmallestFramesWithTheLongestTagCarryTheLongestPacket) {
  TestPair wide{{.buffers = 4095, .plain_mtu = 65535}};
  ipc::InstallSession session = test::make_session();
  session.frame_size = limits::min_frame_size;
  session.tag = 32;
  wide.connect(session);
  const auto packet = make_packet(limits::max_packet);
  wide.a.plain.incoming.push_back({.bytes = packet});
  wide.run();
  ASSERT_EQ(wide.b.plain.sent.size(), 1u);
  EXPECT_EQ(wide.b.plain.sent[0].bytes, packet);
}

TEST_F(PackTest, PutsTheVlanTagBack) {
  pair.connect();
  const auto inner = make_packet(100);
  for (const std::uint16_t tpid : std::array<std::uint16_t, 3>{0x8100, 0x88a8, 0x9100}) {
    pair.a.plain.incoming.push_back({.bytes = inner, .vlan_tpid = tpid, .vlan_tci = 0xb123});
    auto whole = inner;
    auto tag = std::vector<std::byte>(4);
    store_be16(tag.data(), tpid);
    store_be16(&tag[2], 0xb123);
    whole.insert(whole.begin() + 12, tag.begin(), tag.end());
    sent.push_back(whole);
  }
  pair.run();
  expect_arrived();
}

TEST_F(PackTest, RefusesAPacketThatTheSaMayNotFinish) {
  pair.connect();
  OutboundSa& sa = pair.a.outbound(*pair.session_a);
  const std::uint64_t hard = sa.frames_begun + 3;
  sa.keys.lower_limits(hard, hard);
  const auto too_long = make_packet(6000);  // five frames
  pair.a.plain.incoming.push_back({.bytes = too_long});
  send(1000);
  send(1000);
  pair.run();
  expect_arrived();
  EXPECT_EQ(pair.a.count()[DropReason::seal_limit], 1u);
  EXPECT_EQ(sa.keys.next().value, hard - 1);  // the two share two frames

  send(60);
  pair.run();
  pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
  pair.run();
  expect_arrived();
  EXPECT_EQ(sa.keys.next().value, hard);
  EXPECT_EQ(pair.a.count()[DropReason::seal_limit], 2u);
}

TEST_F(PackTest, NeedsBuffersForAllOfAPacket) {
  TestPair poor{{.buffers = 255, .plain_mtu = 65535}};
  poor.connect();
  poor.a.plain.incoming.push_back({.bytes = make_packet(limits::max_packet)});  // 46 frames
  const unsigned used = test::in_use(poor.a.frames);
  std::vector<rte_mbuf*> taken(255 - used - (40 - BufferStash::most_ahead));
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(poor.a.frames.get(), taken.data(),
                                   static_cast<unsigned>(taken.size())),
            0);
  poor.a.plain.incoming.push_back({.bytes = make_packet(1000)});
  poor.run();
  EXPECT_EQ(poor.a.count()[DropReason::no_frame_buffer], 1u);
  EXPECT_EQ(poor.b.plain.sent.size(), 1u);
  rte_pktmbuf_free_bulk(taken.data(), static_cast<unsigned>(taken.size()));
  expect_balanced(poor);
}

TEST_F(PackTest, AnUnfinishedPacketCrossesWithItsHeaderMovedBehindTheTag) {
  pair.connect();
  // UDP over IPv4, its checksum still to do.
  auto packet = make_packet(100, ethertype_ipv4);
  const auto ip = test::bytes_of({0x45, 0, 0,  86, 0, 0, 0, 0, 64, 17, 0, 0,  10,   0,
                                  0,    1, 10, 0,  0, 2, 0, 1, 0,  2,  0, 66, 0x12, 0x34});
  std::ranges::copy(ip, packet.begin() + 14);
  const VirtioNetHeader offload{
      .flags = VirtioNetHeader::needs_csum, .csum_start = 34, .csum_offset = 6};
  pair.a.plain.incoming.push_back(
      {.bytes = packet, .vlan_tpid = 0x8100, .vlan_tci = 7, .offload = offload});
  pair.run();
  ASSERT_EQ(pair.b.plain.sent.size(), 1u);
  EXPECT_EQ(pair.b.plain.sent[0].bytes.size(), 104u);
  EXPECT_EQ(pair.b.plain.sent[0].offload.csum_start, 38);
  EXPECT_EQ(pair.b.plain.sent[0].offload.csum_offset, 6);
  EXPECT_FALSE(pair.b.plain.sent[0].offload.is_finished());
}

TEST_F(PackTest, AnUnfinishedPacketCrossesEvenToAPeerThatCountsIt) {
  TestPair other{{}, {.plain_takes_offload = false}};
  ipc::InstallSession session = test::make_session();
  session.peer_takes_offload = 0;
  other.connect(session);
  auto packet = make_packet(100, ethertype_ipv4);
  const auto ip = test::bytes_of({0x45, 0, 0,  86, 0, 0, 0, 0, 64, 17, 0, 0,  10,   0,
                                  0,    1, 10, 0,  0, 2, 0, 1, 0,  2,  0, 66, 0x12, 0x34});
  std::ranges::copy(ip, packet.begin() + 14);
  other.a.plain.incoming.push_back(
      {.bytes = packet,
       .offload = {.flags = VirtioNetHeader::needs_csum, .csum_start = 34, .csum_offset = 6}});
  other.run();
  EXPECT_TRUE(other.b.plain.sent.empty());
  EXPECT_EQ(other.b.count()[DropReason::needs_offload], 1u);
  expect_balanced(other);
}

// --- when a frame leaves ---------------------------------------------------------------

TEST(Flush, AnOpenFrameLeavesWhenThePortRunsEmpty) {
  TestPair pair;
  pair.connect();
  pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
  pair.a.worker->turn(pair.now);
  EXPECT_EQ(pair.a.wire.sent.size(), 1u);
}

// A packet every `pause`, so many of them, each with a turn of its own and empty ones between.
std::size_t frames_of(TestPair& pair, Time pause, int packets) {
  std::size_t frames = 0;
  for (int i = 0; i < packets; ++i) {
    pair.a.plain.incoming.push_back({.bytes = make_packet(64)});
    for (int turn = 0; turn < 4; ++turn) {
      pair.a.worker->turn(pair.now);
      pair.now += pause / 4;
    }
    frames += pair.a.wire.sent.size();
    pair.carry();
  }
  return frames;
}

TEST(Flush, ALonePacketLeavesInTheTurnThatTookItIn) {
  for (const Time pause : {Time{5us}, Time{20us}, Time{1ms}, Time{1s}}) {
    TestPair pair;
    pair.connect();
    for (int round = 0; round < 30; ++round) {
      pair.now += pause;
      if (round > 3) pair.now += 200us;  // whatever came before
      pair.a.plain.incoming.push_back({.bytes = make_packet(64)});
      pair.a.worker->turn(pair.now);
      ASSERT_EQ(pair.a.wire.sent.size(), 1u) << pause.count() << " " << round;
      EXPECT_EQ(pair.a.outbound(*pair.session_a).open, nullptr);
      pair.run();
    }
  }
}

TEST(Flush, PacketsThatComeFastEnoughFillFramesThoughThePortRunsEmpty) {
  TestPair pair;
  pair.connect();
  EXPECT_LT(frames_of(pair, 4us, 400), 200u);  // it takes some frames' worth to see
  const std::size_t frames = frames_of(pair, 4us, 2100);
  EXPECT_LE(frames, 100u);
  EXPECT_GE(frames, 99u);
  // They end: what is open leaves soon, and nothing has to come for that.
  ASSERT_NE(pair.a.outbound(*pair.session_a).open, nullptr);
  const Time due = pair.a.worker->deadline();
  EXPECT_LE(due, pair.now + FillForecast::soon);
  pair.now = due;
  pair.a.worker->turn(pair.now);
  EXPECT_EQ(pair.a.outbound(*pair.session_a).open, nullptr);
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 2500u);
  expect_balanced(pair);
}

TEST(Flush, SlowerPacketsTravelAlone) {
  TestPair pair;
  pair.connect();
  EXPECT_EQ(frames_of(pair, 12us, 400), 400u);
}

TEST(Flush, UnderLoadFramesAreFull) {
  TestPair pair;
  pair.connect();
  for (int i = 0; i < 65; ++i) pair.a.plain.incoming.push_back({.bytes = make_packet(100)});
  pair.a.worker->turn(pair.now);
  // 64 * 104 bytes came, more wait: four full frames of 1436, the rest stays open.
  EXPECT_EQ(pair.a.wire.sent.size(), 4u);
  EXPECT_NE(pair.a.outbound(*pair.session_a).open, nullptr);
  pair.a.worker->turn(pair.now);
  EXPECT_EQ(pair.a.wire.sent.size(), 5u);
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 65u);
}

TEST(Flush, HoldWaitsForMore) {
  TestPair pair{{.hold = 100us}};
  pair.connect();
  pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
  pair.a.worker->turn(pair.now);
  EXPECT_TRUE(pair.a.wire.sent.empty());
  EXPECT_EQ(pair.a.worker->deadline(), pair.now + 100us);
  pair.now += 50us;
  pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
  pair.a.worker->turn(pair.now);
  EXPECT_TRUE(pair.a.wire.sent.empty());
  pair.now += 50us;
  pair.a.worker->turn(pair.now);
  EXPECT_EQ(pair.a.wire.sent.size(), 1u);
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 2u);
  expect_balanced(pair);
}

}  // namespace
}  // namespace penstock::dataplane
