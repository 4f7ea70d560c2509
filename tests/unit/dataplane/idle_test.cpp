#include "dataplane/idle.hpp"

#include <gtest/gtest.h>

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;

constexpr Time start = 1000s;

class IdleWorker : public testing::Test {
 protected:
  bool rests(Time now, Time interval) {
    return idle.rest(now, Time::max(), {.at = now + 100us, .interval = interval});
  }
  Wake mailbox;
  Idle idle{IdleMode::backoff, {}, mailbox};
};

TEST_F(IdleWorker, StaysAwakeForTicksThatItWouldSleepOver) {
  EXPECT_TRUE(rests(start, 8ns));  // no wake-up is as punctual as that
  EXPECT_FALSE(rests(start, 8ns));
  EXPECT_FALSE(rests(start + 9s, 8ns));
}

TEST_F(IdleWorker, TriesNowAndThenWhetherItStillWould) {
  EXPECT_TRUE(rests(start, 8ns));
  EXPECT_FALSE(rests(start, 8ns));
  EXPECT_TRUE(rests(start + 10s, 8ns));
  EXPECT_FALSE(rests(start + 10s, 8ns));
}

TEST_F(IdleWorker, SleepsWhereTicksAreFarApart) {
  EXPECT_TRUE(rests(start, 8ns));
  EXPECT_TRUE(rests(start, 500us));
}

TEST_F(IdleWorker, SleepsWithoutARhythm) {
  EXPECT_TRUE(rests(start, 8ns));
  EXPECT_TRUE(idle.rest(start, start + 100us, {}));
}

}  // namespace
}  // namespace penstock::dataplane
