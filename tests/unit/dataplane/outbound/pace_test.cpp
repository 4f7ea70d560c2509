// The rhythm of a link whose frames are timed: one frame a tick, whatever happens inside.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/rhythm.hpp"

#include "dataplane/buffer_stash.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::Rhythm;
using test::timed_session;

// From here on: what an eavesdropper has, without what is already seen.
class Pace : public testing::Test {
 protected:
  void forget() { rhythm.seen.clear(); }
  // One frame a millisecond, none twice, none left out.
  void expect_rhythm(std::size_t frames) {
    ASSERT_EQ(rhythm.seen.size(), frames);
    for (std::size_t i = 1; i < frames; ++i)
      EXPECT_EQ(rhythm.seen[i].at - rhythm.seen[i - 1].at, Time{1ms}) << i;
  }
  const Counters& count() { return rhythm.pair.a.count(); }
  // Published or not.
  const Counters& settled() {
    rhythm.run(200ms);
    return count();
  }

  Rhythm rhythm;
};

TEST_F(Pace, AnIdleLinkSendsAFrameATick) {
  rhythm.start(timed_session());
  forget();
  rhythm.run(100ms);
  expect_rhythm(100);
}

TEST_F(Pace, TrafficChangesNothingThatIsSeen) {
  rhythm.start(timed_session());
  rhythm.run(100ms);
  for (int i = 0; i < 100; ++i) {
    rhythm.send(60 + static_cast<std::size_t>(i) % 10 * 150);
    rhythm.run(300us);
  }
  rhythm.run(70ms);
  const Bytes first{rhythm.seen[0].packet};
  std::uint64_t number = 0;
  for (const test::Seen& seen : rhythm.seen) {
    ASSERT_EQ(seen.packet.size(), first.size());
    EXPECT_TRUE(std::ranges::equal(Bytes{seen.packet}.first(42), first.first(42)));
    EXPECT_EQ(seen.header().sequence.value, number++);
  }
  rhythm.seen.erase(rhythm.seen.begin());
  expect_rhythm(rhythm.seen.size());
  EXPECT_EQ(rhythm.lost(), 0u);
}

TEST_F(Pace, ABacklogLeavesOneFrameATick) {
  rhythm.start(timed_session());
  forget();
  for (int i = 0; i < 50; ++i) rhythm.send(1400);
  rhythm.run(100ms);
  expect_rhythm(100);
  EXPECT_EQ(rhythm.lost(), 0u);
}

TEST_F(Pace, APacketIsPackedIntoTheFrameAfterTheOneThatWaits) {
  rhythm.start(timed_session());
  while (rhythm.seen.back().at != rhythm.pair.now - Rhythm::step) rhythm.run(Rhythm::step);
  rhythm.send(100);
  rhythm.run(1ms);  // the tick at which the frame sealed before leaves
  EXPECT_EQ(rhythm.delivered(), 0u);
  rhythm.run(1ms);
  EXPECT_EQ(rhythm.lost(), 0u);
}

TEST_F(Pace, TicksThatPassedAreNotMadeUp) {
  rhythm.start(timed_session());
  const std::uint64_t missed = settled()[Counter::ticks_missed];
  forget();
  rhythm.pair.now += 50ms;
  rhythm.run(10ms);
  ASSERT_GE(rhythm.seen.size(), 10u);
  EXPECT_LE(rhythm.seen.size(), 11u);
  EXPECT_NEAR(static_cast<double>(settled()[Counter::ticks_missed] - missed), 50, 1);
}

TEST_F(Pace, TheCountsOfTheLinkAddUp) {
  rhythm.start(timed_session());
  for (int i = 0; i < 20; ++i) rhythm.send(700);
  rhythm.pair.now += 7ms;
  rhythm.run(300ms);
  rhythm.lane().publish(rhythm.pair.now);
  const auto stats = rhythm.pair.a.directory->link_stats();
  ASSERT_EQ(stats.size(), 1u);
  EXPECT_EQ(stats[0].rate, 1'000'000u);
  EXPECT_EQ(stats[0].mode, ShapeMode::constant);
  EXPECT_EQ(stats[0].is_paced, 1);
  EXPECT_EQ(stats[0].ticks, count()[Counter::frames_sent] + count()[Counter::ticks_missed]);
  EXPECT_EQ(stats[0].ticks_missed, count()[Counter::ticks_missed]);
  EXPECT_EQ(stats[0].dummies, count()[Counter::dummy_frames]);
  EXPECT_EQ(stats[0].classes[static_cast<std::size_t>(PacketClass::normal)].packets, 20u);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Pace, BooksBalanceWhilePacketsWait) {
  rhythm.start(timed_session(1, 10));
  for (int i = 0; i < 50; ++i) rhythm.send(1400);
  rhythm.run(120ms);
  EXPECT_GT(count()[Gauge::held_plain], 30u);
  EXPECT_EQ(count()[Gauge::held_sealed], 1u);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Pace, ATickWithoutABufferIsMissedAndTheNextIsNot) {
  rhythm.start(timed_session());
  const std::uint64_t missed = settled()[Counter::ticks_missed];
  std::vector<rte_mbuf*> taken;
  rhythm.pair.a.wire.keeps = &taken;
  while (rte_mbuf* buffer = rte_pktmbuf_alloc(rhythm.pair.a.frames.get())) taken.push_back(buffer);
  // Frames that come would bring their buffers with them.
  rhythm.run_alone(5ms + BufferStash::most_ahead * 1ms);  // what the worker took before is used up
  rhythm.send(100);
  forget();
  rhythm.run_alone(20ms);
  EXPECT_TRUE(rhythm.seen.empty());
  for (rte_mbuf* buffer : taken) rte_pktmbuf_free(buffer);
  taken.clear();
  rhythm.pair.a.wire.keeps = nullptr;
  rhythm.run(20ms);
  expect_rhythm(19);  // the first tick with buffers fills the frame of the second
  EXPECT_GE(settled()[Counter::ticks_missed] - missed, 20u);
  EXPECT_EQ(rhythm.lost(), 0u);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Pace, AFullQueueDropsByName) {
  ipc::InstallSession session = timed_session(1, 10);
  session.shaping.queue_ns = 1;  // the least there is
  rhythm.start(session);
  for (int i = 0; i < 100; ++i) rhythm.send(1400);
  rhythm.run(110ms);
  EXPECT_GT(count()[DropReason::queue_full], 40u);
  EXPECT_LE(count()[Gauge::held_plain] * 1400, LinkLane::least_queue);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Pace, WithoutASessionNothingLeavesOrWaits) {
  rhythm.start(timed_session());
  rhythm.pair.a.command(
      {.kind = Command::Kind::remove, .session = rhythm.session_a->shares[0].get()});
  for (int i = 0; i < 20; ++i) rhythm.send(1400);
  rhythm.run(10ms);
  forget();
  const std::uint64_t ticks = rhythm.lane().pacer.stats().ticks;
  rhythm.send(100);
  rhythm.run(200ms);
  EXPECT_TRUE(rhythm.seen.empty());
  EXPECT_EQ(rhythm.lane().pacer.stats().ticks, ticks);
  EXPECT_GT(count()[DropReason::wiped_packet], 0u);
  EXPECT_EQ(count()[DropReason::wiped_packet] + count()[DropReason::no_session], 21u);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Pace, ControlBlocksLeaveFirstAndInTheRhythm) {
  ipc::InstallSession session = timed_session();
  session.frame_size = 256;
  rhythm.start(session);
  for (int i = 0; i < 20; ++i) rhythm.send(1400);
  std::vector<std::byte> block(control_header + limits::handshake_message, std::byte{3});
  block[0] = static_cast<std::byte>(ControlType::handshake);
  forget();
  rhythm.run(1ms);
  rhythm.pair.a.send_control(*rhythm.session_a, block);
  rhythm.run(20ms);
  EXPECT_EQ(rhythm.pair.b.heard().size(), 1u);
  EXPECT_LT(rhythm.delivered(), 3u);
  rhythm.run(179ms);
  expect_rhythm(200);
  EXPECT_EQ(rhythm.lost(), 0u);
}

TEST_F(Pace, MoreControlBlocksThanWaitAreCounted) {
  rhythm.start(timed_session(1, 10));
  for (int i = 0; i < 20; ++i)
    rhythm.pair.a.send_control(*rhythm.session_a, std::vector(10, std::byte{3}));
  rhythm.run(110ms);
  EXPECT_EQ(count()[DropReason::control_full], 20u - ControlQueue::capacity);
}

}  // namespace
}  // namespace penstock::dataplane
