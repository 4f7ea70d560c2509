// The rhythm while sessions come and go.
#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "tests/unit/dataplane/fixture/rhythm.hpp"

#include "dataplane/buffer_stash.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::Rhythm;
using test::timed_session;

class Lane : public testing::Test {
 protected:
  const Counters& count() { return rhythm.pair.a.count(); }
  void expect_rhythm() {
    for (std::size_t i = 1; i < rhythm.seen.size(); ++i)
      ASSERT_EQ(rhythm.seen[i].at - rhythm.seen[i - 1].at, Time{1ms}) << i;
  }

  Rhythm rhythm{{.plain_mtu = 9000}};
};

TEST_F(Lane, ARekeyKeepsTheRhythmAndLosesNothing) {
  rhythm.start(timed_session());
  rhythm.seen.clear();
  for (std::uint32_t number = 2; number < 12; ++number) {
    for (int i = 0; i < 20; ++i) rhythm.send(60 + static_cast<std::size_t>(i) * 70);
    rhythm.rekey(timed_session(number));
    rhythm.run(20ms);
  }
  rhythm.run(50ms);
  expect_rhythm();
  EXPECT_EQ(rhythm.seen.size(), 250u);
  EXPECT_EQ(rhythm.lost(), 0u);
  EXPECT_EQ(rhythm.pair.b.count()[DropReason::incomplete_packet], 0u);
  test::expect_balanced(rhythm.pair);
}

// A frame on another SA between two on which a packet stands would be no loss; a packet on two SAs
// is one.
TEST_F(Lane, APacketInSeveralFramesStaysOnItsSa) {
  ipc::InstallSession first = timed_session(1);
  first.frame_size = 256;
  rhythm.start(first);
  rhythm.send(9000);
  rhythm.send(60);
  rhythm.run(5ms);
  ipc::InstallSession second = timed_session(2);
  second.frame_size = 256;
  rhythm.rekey(second);
  rhythm.run(100ms);
  EXPECT_EQ(rhythm.session_a->shares[0]->state(), ipc::SessionState::current);
  rhythm.seen.erase(rhythm.seen.begin());
  expect_rhythm();
  EXPECT_EQ(rhythm.lost(), 0u);
  EXPECT_EQ(rhythm.pair.b.count()[DropReason::incomplete_packet], 0u);
}

TEST_F(Lane, ANewRateHoldsFromTheNextSessionOn) {
  rhythm.start(timed_session());
  rhythm.rekey(timed_session(2, 100));
  rhythm.run(100ms);
  rhythm.seen.clear();
  rhythm.run(1s);
  EXPECT_EQ(rhythm.seen.size(), 100u);
}

TEST_F(Lane, WithoutARhythmFramesLeaveAtOnceAgain) {
  rhythm.start(timed_session(1, 10));
  for (int i = 0; i < 20; ++i) rhythm.send(1400);
  rhythm.run(110ms);
  rhythm.rekey(test::make_session(2));
  rhythm.run(110ms);
  const std::size_t before = rhythm.delivered();
  rhythm.seen.clear();
  rhythm.send(100);
  rhythm.run(Rhythm::step);
  EXPECT_EQ(rhythm.seen.size(), 1u);
  EXPECT_EQ(rhythm.delivered(), before + 1);
  rhythm.run(300ms);
  EXPECT_EQ(rhythm.seen.size(), 1u);
  EXPECT_GT(count()[DropReason::wiped_packet], 0u);
  EXPECT_EQ(count()[Gauge::held_plain], 0u);
  EXPECT_EQ(count()[Gauge::held_sealed], 0u);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Lane, ARhythmBeginsWhereThereWasNone) {
  rhythm.start(test::make_session(1));
  rhythm.rekey(timed_session(2));
  rhythm.run(20ms);
  rhythm.seen.clear();
  rhythm.run(100ms);
  EXPECT_EQ(rhythm.seen.size(), 100u);
  expect_rhythm();
}

TEST_F(Lane, ZeroizeLeavesNothingOfWhatWaits) {
  ipc::InstallSession session = timed_session(1, 10);
  rhythm.start(session);
  rhythm.run(200ms);
  for (int i = 0; i < 20; ++i) rhythm.send(1400);
  rhythm.run(110ms);
  ASSERT_NE(rhythm.lane().sealed, nullptr);
  const std::uint64_t sent = count()[Counter::frames_sent];
  rhythm.pair.a.command({.kind = Command::Kind::zeroize});
  rhythm.run(300ms);
  EXPECT_EQ(rhythm.lane().sealed, nullptr);
  EXPECT_TRUE(rhythm.lane().queues.is_empty());
  EXPECT_EQ(count()[Counter::frames_sent], sent);
  EXPECT_EQ(count()[DropReason::wiped_sealed], 1u);
  EXPECT_GT(count()[DropReason::wiped_packet], 10u);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Lane, AChallengeWaitsForThePacketInHand) {
  ipc::InstallSession session = timed_session(1);
  session.frame_size = 256;
  rhythm.start(session);
  rhythm.send(5000);
  rhythm.run(5ms);
  ASSERT_TRUE(rhythm.lane().hand.block);
  rhythm.seen.clear();
  rte_mbuf* buffer = rte_pktmbuf_alloc(rhythm.pair.a.punt_pool.get());
  std::memset(rte_pktmbuf_append(buffer, 17), static_cast<int>(ControlType::challenge), 17);
  rhythm.pair.a.command({.kind = Command::Kind::challenge,
                         .mac = rhythm.pair.a.peer_mac,
                         .peer = rhythm.pair.a.peer,
                         .session = rhythm.session_a->shares[0].get(),
                         .packet = buffer});
  rhythm.run(60ms);
  EXPECT_EQ(rhythm.seen.size(), 61u);  // beside the rhythm
  EXPECT_EQ(rhythm.lost(), 0u);
  EXPECT_EQ(rhythm.pair.b.count()[DropReason::incomplete_packet], 0u);
}

TEST_F(Lane, AClockThatIsMovedWhileNobodyHasWorkIsNotFoundDue) {
  rhythm.start(timed_session());
  std::vector<rte_mbuf*> taken;
  rhythm.pair.a.wire.keeps = &taken;
  while (rte_mbuf* buffer = rte_pktmbuf_alloc(rhythm.pair.a.frames.get())) taken.push_back(buffer);
  rhythm.run_alone(5ms + BufferStash::most_ahead * 1ms);  // what the worker took before is used up
  ASSERT_EQ(rhythm.lane().sealed, nullptr);
  rhythm.pair.a.command({.kind = Command::Kind::zeroize});
  rhythm.rekey(timed_session(2, 1));
  rhythm.run_alone(3ms);
  for (rte_mbuf* buffer : taken) rte_pktmbuf_free(buffer);
  taken.clear();
  rhythm.pair.a.wire.keeps = nullptr;
  rhythm.run_until_current();
}

TEST_F(Lane, ASealedFrameOfNoSessionIsWipedToo) {
  rhythm.start(timed_session(1, 10));
  rhythm.run(150ms);
  ASSERT_NE(rhythm.lane().sealed, nullptr);
  LinkLane& lane = rhythm.lane();
  rhythm.pair.a.command(
      {.kind = Command::Kind::remove, .session = rhythm.session_a->shares[0].get()});
  rhythm.pair.a.command({.kind = Command::Kind::zeroize});
  rhythm.run(Rhythm::step);
  EXPECT_EQ(lane.sealed, nullptr);
  EXPECT_EQ(count()[DropReason::wiped_sealed], 1u);
  rhythm.run(300ms);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Lane, FiguresStayWhenTheLinkGoesDown) {
  rhythm.start(timed_session());
  for (int i = 0; i < 20; ++i) rhythm.send(700);
  rhythm.run(30ms);
  rhythm.pair.a.command(
      {.kind = Command::Kind::remove, .session = rhythm.session_a->shares[0].get()});
  rhythm.run(300ms);
  const ipc::LinkStats stats = rhythm.pair.a.directory->link_stats().at(0);
  EXPECT_EQ(stats.is_paced, 1);
  EXPECT_EQ(stats.classes[static_cast<std::size_t>(PacketClass::normal)].packets, 20u);
}

TEST_F(Lane, ASessionWithoutNextHopDoesNotStopTheRhythm) {
  rhythm.start(timed_session());
  rhythm.rekey(timed_session(2));
  rhythm.pair.a.outbound(*rhythm.session_a).has_next_hop = false;
  rhythm.run(2ms);
  rhythm.seen.clear();
  rhythm.send(100);
  rhythm.run(50ms);
  EXPECT_EQ(rhythm.seen.size(), 50u);
  expect_rhythm();
  EXPECT_EQ(rhythm.lost(), 0u);
  rhythm.pair.a.outbound(*rhythm.session_a).has_next_hop = true;
  rhythm.run_until_current();
}

TEST_F(Lane, ASessionIsConfirmedWithinALongPacketThatIsNotTorn) {
  ipc::InstallSession first = timed_session(1, 100);
  first.frame_size = 256;
  rhythm.start(first);
  rhythm.send(9000);
  rhythm.run(30ms);
  ASSERT_TRUE(rhythm.lane().hand.block);
  ipc::InstallSession second = timed_session(2, 100);
  second.frame_size = 256;
  rhythm.rekey(second);
  rhythm.run(60ms);
  ASSERT_TRUE(rhythm.lane().hand.block);
  EXPECT_EQ(rhythm.session_a->shares[0]->state(), ipc::SessionState::current);
  rhythm.run(1s);
  EXPECT_EQ(rhythm.lost(), 0u);
  EXPECT_EQ(rhythm.pair.b.count()[DropReason::incomplete_packet], 0u);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Lane, AnotherFarSideBeginsAnew) {
  rhythm.start(timed_session());
  for (int i = 0; i < 20; ++i) rhythm.send(700);
  rhythm.run(500ms);
  ipc::InstallSession same = timed_session(2);
  rhythm.rekey(same);
  rhythm.run(200ms);
  EXPECT_GT(rhythm.lane().dummies, 400u);
  ipc::InstallSession other = timed_session(3);
  other.peer_name = {'o', 't', 'h', 'e', 'r'};
  rhythm.rekey(other);
  rhythm.run(200ms);
  const ipc::LinkStats stats = rhythm.pair.a.directory->link_stats().at(0);
  EXPECT_LE(stats.dummies, 200u);
  EXPECT_LE(stats.ticks, 200u);
  EXPECT_EQ(stats.classes[static_cast<std::size_t>(PacketClass::normal)].packets, 0u);
}

// 100 kbit/s, once with frames that carry a packet and once with a few for each.
TEST_F(Lane, AQueueShorterThanATickLetsUsualPacketsPass) {
  ipc::InstallSession session = timed_session(1, 8);
  session.shaping.queue_ns = static_cast<std::uint64_t>(Time{50ms}.count());
  rhythm.start(session);
  for (int i = 0; i < 5; ++i) rhythm.send(100);
  rhythm.run(500ms);
  EXPECT_EQ(rhythm.lost(), 0u);
  ipc::InstallSession small = timed_session(2, 42);
  small.frame_size = 256;
  small.shaping.queue_ns = session.shaping.queue_ns;
  rhythm.rekey(small);
  rhythm.run_until_current();
  rhythm.send(1400);
  rhythm.send(100);
  rhythm.send(100);
  rhythm.run(1s);
  EXPECT_EQ(rhythm.lost(), 0u);
}

TEST_F(Lane, AChallengeDoesNotStarveBehindABacklog) {
  ipc::InstallSession session = timed_session(1);
  session.frame_size = 256;
  rhythm.start(session);
  for (int i = 0; i < 40; ++i) rhythm.send(700);
  rhythm.run(5ms);
  ASSERT_TRUE(rhythm.lane().hand.block);
  rte_mbuf* buffer = rte_pktmbuf_alloc(rhythm.pair.a.punt_pool.get());
  std::memset(rte_pktmbuf_append(buffer, 17), static_cast<int>(ControlType::challenge), 17);
  rhythm.pair.a.command({.kind = Command::Kind::challenge,
                         .mac = rhythm.pair.a.peer_mac,
                         .peer = rhythm.pair.a.peer,
                         .session = rhythm.session_a->shares[0].get(),
                         .packet = buffer});
  rhythm.seen.clear();
  rhythm.run(10ms);
  EXPECT_FALSE(rhythm.lane().queues.is_empty());
  EXPECT_EQ(rhythm.seen.size(), 11u);  // beside the rhythm
  rhythm.run(200ms);
  EXPECT_EQ(rhythm.lost(), 0u);
  EXPECT_EQ(rhythm.pair.b.count()[DropReason::incomplete_packet], 0u);
}

}  // namespace
}  // namespace penstock::dataplane
