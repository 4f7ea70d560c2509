// A link in mode burst with a cap: no rhythm, but never two frames closer than the interval.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/rhythm.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::Rhythm;
using test::timed_session;

class Capped : public testing::Test {
 protected:
  void start(Time hold = {}) {
    rhythm.pair.a.hold = hold;
    rhythm.start(timed_session(1, 100, ShapeMode::burst));
    rhythm.run(100ms);
    rhythm.seen.clear();
  }

  Rhythm rhythm;
};

TEST_F(Capped, AnIdleLinkSendsNothing) {
  start();
  rhythm.run(1s);
  EXPECT_TRUE(rhythm.seen.empty());
}

TEST_F(Capped, KeepalivesLeave) {
  start();
  rhythm.run(7s);
  EXPECT_EQ(rhythm.seen.size(), 2u);
}

TEST_F(Capped, ALonePacketLeavesAtOnce) {
  start();
  rhythm.send(100);
  rhythm.run(Rhythm::step);
  EXPECT_EQ(rhythm.lost(), 0u);
}

TEST_F(Capped, TheNextWaitsForTheInterval) {
  start();
  rhythm.send(100);
  rhythm.run(5ms);
  rhythm.send(100);
  rhythm.run(20ms);
  ASSERT_EQ(rhythm.seen.size(), 2u);
  EXPECT_EQ(rhythm.seen[1].at - rhythm.seen[0].at, Time{10ms});
}

TEST_F(Capped, ABacklogLeavesNoCloserThanTheInterval) {
  start();
  for (int i = 0; i < 40; ++i) rhythm.send(700);
  rhythm.run(1s);
  EXPECT_EQ(rhythm.lost(), 0u);
  for (std::size_t i = 1; i < rhythm.seen.size(); ++i)
    EXPECT_GE(rhythm.seen[i].at - rhythm.seen[i - 1].at, Time{10ms});
  test::expect_balanced(rhythm.pair);
}

TEST_F(Capped, HoldWaitsForMore) {
  start(30ms);
  rhythm.send(100);
  rhythm.run(29ms);
  EXPECT_TRUE(rhythm.seen.empty());
  rhythm.send(100);
  rhythm.run(2ms);
  EXPECT_EQ(rhythm.seen.size(), 1u);
  EXPECT_EQ(rhythm.lost(), 0u);
}

TEST_F(Capped, AFullFrameNeedsNoHold) {
  start(1s);
  for (int i = 0; i < 3; ++i) rhythm.send(700);
  rhythm.run(Rhythm::step);
  EXPECT_EQ(rhythm.seen.size(), 1u);
}

}  // namespace
}  // namespace penstock::dataplane
