#include "penstock/link/step_control.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;

const std::vector<std::uint64_t> steps{100'000, 1'000'000, 10'000'000};
constexpr Time dwell = 10s;

// A link that is asked for `demand` frames' worth a second.
struct Link {
  StepControl control;
  Time now = 7s;
  Time changed_at{};
  std::vector<Time> changes;

  Link() { control.set_steps(steps, dwell); }
  void run(Time time, double demand) {
    const Time end = now + time;
    while (now < end) {
      const double rate = static_cast<double>(control.rate()) / 1000;
      const bool is_short = demand > rate;
      const auto used = static_cast<std::uint32_t>(is_short ? 1000 : 1000 * demand / rate);
      const unsigned before = control.step();
      control.tick({.used = used, .room = 1000, .has_backlog = is_short}, now);
      if (control.step() != before) changes.push_back(now);
      now += Time{static_cast<Time::rep>(1e12) / static_cast<Time::rep>(control.rate())};
    }
  }
};

TEST(StepControl, BeginsAtTheLowestAndStaysThereWhenIdle) {
  Link link;
  link.run(20 * dwell, 0);
  EXPECT_EQ(link.control.step(), 0u);
  EXPECT_TRUE(link.changes.empty());
}

TEST(StepControl, GoesUpWhenThereIsMoreThanItCarries) {
  Link link;
  link.run(dwell + 1s, 5000);
  EXPECT_EQ(link.control.step(), 1u);
  link.run(dwell, 5000);
  EXPECT_EQ(link.control.step(), 2u);
}

TEST(StepControl, GoesUpBeforeItIsFull) {
  Link link;
  link.run(2 * dwell, 95);
  EXPECT_EQ(link.control.step(), 1u);
}

TEST(StepControl, GoesDownToWhatWouldHaveSufficedForADwell) {
  Link link;
  link.run(3 * dwell, 9000);
  ASSERT_EQ(link.control.step(), 2u);
  link.run(2 * dwell, 300);
  EXPECT_EQ(link.control.step(), 1u);
  link.run(2 * dwell, 10);
  EXPECT_EQ(link.control.step(), 0u);
}

TEST(StepControl, ASlicesPeakKeepsTheStepForTheDwell) {
  Link link;
  link.run(3 * dwell, 9000);
  for (int i = 0; i < 20; ++i) {
    link.run(dwell - 3s, 0);
    link.run(3s, 5000);
    EXPECT_EQ(link.control.step(), 2u);
  }
}

// What an observer of the rate learns: one of three steps a dwell, and when dwells end, nothing.
TEST(StepControl, ChangesOnlyOnTheGridWhateverTheTrafficDoes) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random{seed};
    Link link;
    const Time start = link.now;
    while (link.now < start + 20 * dwell)
      link.run(std::chrono::milliseconds{random() % 4000},
               random() % 2 == 0 ? 0 : static_cast<double>(random() % 12'000));
    EXPECT_FALSE(link.changes.empty());
    for (const Time change : link.changes) {
      const Time behind = (change - start) % dwell;
      EXPECT_LT(behind, 15ms) << "a tick of the lowest step after the grid, seed " << seed;
    }
  }
}

TEST(StepControl, TheGridSurvivesAPause) {
  Link link;
  const Time start = link.now;
  link.run(13s, 5000);
  link.now = start + 1000 * dwell + 4s;
  link.changes.clear();
  link.run(3 * dwell, 5000);
  EXPECT_FALSE(link.changes.empty());
  for (const Time change : link.changes) EXPECT_LT((change - start) % dwell, 15ms);
}

TEST(StepControl, TheSameStepsAgainChangeNothing) {
  Link link;
  link.run(3 * dwell, 9000);
  link.control.set_steps(steps, dwell);
  EXPECT_EQ(link.control.step(), 2u);
  link.control.set_steps(std::vector<std::uint64_t>{5'000}, dwell);
  EXPECT_EQ(link.control.step(), 0u);
  EXPECT_EQ(link.control.rate(), 5'000u);
}

TEST(StepControl, OneStepIsAConstantRate) {
  StepControl control;
  control.set_steps(std::vector<std::uint64_t>{42}, 0s);
  for (int i = 0; i < 1000; ++i) control.tick({.used = 1, .room = 1, .has_backlog = true}, i * 1s);
  EXPECT_EQ(control.rate(), 42u);
}

}  // namespace
}  // namespace penstock
