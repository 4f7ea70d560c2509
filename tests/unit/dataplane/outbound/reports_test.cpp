// What the two sites of a link with a rhythm tell each other of its frames, and what comes of that.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/forger.hpp"
#include "tests/unit/dataplane/fixture/rhythm.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::Rhythm;
using test::timed_session;
using State = CircuitBreaker::State;

class Reports : public testing::Test {
 protected:
  Reports() { rhythm.start(timed_session(1, 100)); }

  // In steps of a millisecond, with what the path makes of the frames of A: `kept` of ten arrive.
  void run(Time time, unsigned kept = 10, bool marks = false) {
    test::TestPair& pair = rhythm.pair;
    for (const Time end = pair.now + time; pair.now < end; pair.now += 1ms) {
      pair.a.worker->turn(pair.now);
      std::vector<test::FakePacket> arriving;
      for (test::FakePacket& packet : pair.a.wire.sent) {
        ++left;
        if (left % 10 < kept) arriving.push_back(std::move(packet));
      }
      if (marks)
        for (test::FakePacket& packet : arriving) mark(packet.bytes);
      pair.a.wire.sent = std::move(arriving);
      pair.carry();
      pair.b.worker->turn(pair.now);
      pair.carry();
    }
  }
  static void mark(std::vector<std::byte>& packet) {
    const MutableBytes ip = std::span{packet}.subspan(ethernet_header, ipv4_header);
    ip[1] |= std::byte{3};
    store_be16(&ip[10], 0);
    store_be16(&ip[10], internet_checksum(ip));
  }
  ipc::LinkStats stats() {
    rhythm.lane().publish(rhythm.pair.now);
    return rhythm.pair.a.directory->link_stats().at(0);
  }
  // Notes of the circuit breaker: what each says that was lost; 0: resumed.
  std::vector<std::uint32_t> breaker_notes() {
    std::vector<std::uint32_t> said;
    for (const Note& note : rhythm.pair.a.notes()) {
      if (note.kind != Note::Kind::breaker) continue;
      note.session->progress.has_breaker_note = false;
      said.push_back(note.session->lane->stopped_ppm);
    }
    return said;
  }

  Rhythm rhythm;
  std::uint64_t left = 0;  // frames of A
};

TEST_F(Reports, SayWhatArrives) {
  run(5s);
  EXPECT_GE(stats().reports_heard, 4u);
  EXPECT_EQ(stats().frames_lost, 0u);
  EXPECT_EQ(stats().rate, 100'000u);
  EXPECT_EQ(stats().breaker, ipc::BreakerState::closed);
  EXPECT_GT(stats().round_trip_ns, 0u);
  EXPECT_LT(stats().round_trip_ns, 60'000'000u) << "a few ticks";
  run(10s, 8);
  EXPECT_NEAR(static_cast<double>(stats().frames_lost), 200, 25);
  EXPECT_NEAR(static_cast<double>(stats().loss_ppm), 200'000, 60'000);
}

TEST_F(Reports, AreNoLessRegularAcrossARekey) {
  run(3s);
  const std::uint64_t heard = stats().reports_heard;
  rhythm.rekey(timed_session(2, 100));
  run(10s);
  EXPECT_GE(stats().reports_heard, heard + 8);
  EXPECT_EQ(stats().frames_lost, 0u);
  EXPECT_EQ(rhythm.pair.a.count()[DropReason::bad_control], 0u);
}

TEST_F(Reports, BringBackTheMarksOfThePath) {
  run(5s, 10, true);
  EXPECT_GE(stats().frames_marked, 300u);
  EXPECT_EQ(stats().frames_lost, 0u);
  EXPECT_EQ(stats().rate, 100'000u) << "it does not adapt";
  EXPECT_GE(rhythm.pair.b.count()[Counter::frames_ce], 450u);
}

TEST_F(Reports, PersistentLossStopsTheLinkAndItComesBack) {
  run(3s);
  (void)breaker_notes();
  run(8s, 2);
  ASSERT_EQ(rhythm.lane().rate.state(), State::open);
  const auto stopped = breaker_notes();
  ASSERT_EQ(stopped.size(), 1u);
  EXPECT_NEAR(stopped[0], 800'000, 20'000);
  const std::uint64_t sealed = left;
  const std::size_t delivered = rhythm.delivered();
  for (int i = 0; i < 10; ++i) rhythm.send(100);
  run(6s);
  EXPECT_LE(left - sealed, 4u) << "keepalives";
  EXPECT_GE(left - sealed, 1u);
  EXPECT_EQ(rhythm.delivered(), delivered);
  EXPECT_EQ(stats().rate, 0u);
  EXPECT_EQ(stats().breaker_trips, 1u);
  EXPECT_EQ(rhythm.pair.a.count()[DropReason::link_stopped], 10u);
  EXPECT_EQ(rhythm.pair.b.directory->link_stats().at(0).breaker, ipc::BreakerState::closed);
  run(16s);
  EXPECT_EQ(rhythm.lane().rate.state(), State::closed);
  EXPECT_EQ(stats().rate, 100'000u);
  EXPECT_EQ(breaker_notes(), std::vector<std::uint32_t>(1, 0));
  rhythm.send(100);
  run(100ms);
  EXPECT_EQ(rhythm.delivered(), delivered + 1);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Reports, OfFramesThatNobodySentAreNotBelieved) {
  run(3s);
  const std::uint64_t heard = stats().reports_heard;
  const auto say = [&](const FrameReport& report) {
    std::array<std::byte, frame_report_size> block;
    write_frame_report(block, report);
    rhythm.pair.b.send_control(*rhythm.pair.b.directory->all()[0], block);
    run(500ms);
  };
  const std::uint64_t clock = std::uint64_t{1} << 62;
  say({.lane = 0, .next = 1'000'000, .admitted = 1, .clock = clock});
  say({.lane = 1, .next = 1, .admitted = 1, .clock = clock});
  say({.lane = 0, .next = 1, .admitted = 1, .clock = clock});  // fewer than before
  EXPECT_EQ(rhythm.pair.a.count()[DropReason::bad_control], 3u);
  run(2s);
  EXPECT_GT(stats().reports_heard, heard);
  EXPECT_EQ(stats().frames_lost, 0u);
}

TEST(ReportsThatDoNotCome, StopTheLinkAndNoTwoFramesLeaveTogether) {
  test::Rhythm rhythm;
  rhythm.start(test::timed_session(1, 50));
  rhythm.seen.clear();
  rhythm.run_alone(35s);
  EXPECT_TRUE(rhythm.lane().is_stopped());
  for (std::size_t i = 1; i < rhythm.seen.size(); ++i)
    ASSERT_GT(rhythm.seen[i].at, rhythm.seen[i - 1].at) << i;
}

TEST(ReportsOfManyLanes, LeaveRoomForOtherBlocks) {
  Rhythm rhythm;
  ipc::InstallSession session = timed_session(1, 100);
  session.lanes_in = 20;
  rhythm.start(session);
  rhythm.run(4s);
  EXPECT_EQ(rhythm.pair.a.count()[DropReason::control_full], 0u);
  EXPECT_EQ(rhythm.lane().next_report, 0u);
  // Each of B's lanes was reported on four times; of those B has one.
  EXPECT_EQ(rhythm.pair.b.count()[DropReason::bad_control], 4u * 19u);
}

TEST(ReportsOfOthers, AreNoneOfALinkWithoutARhythm) {
  test::TestPair pair;
  pair.connect();
  std::array<std::byte, frame_report_size> block;
  write_frame_report(block, {.next = 1, .admitted = 1, .clock = 1});
  pair.a.send_control(*pair.session_a, block);
  pair.run();
  EXPECT_EQ(pair.b.count()[DropReason::bad_control], 1u);
}

}  // namespace
}  // namespace penstock::dataplane
