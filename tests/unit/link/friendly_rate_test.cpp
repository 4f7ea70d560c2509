#include "penstock/link/friendly_rate.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;

TEST(FriendlyFrames, IsTheEquationOfRfc5348) {
  // By hand from section 3.1: R = 100 ms, p = 1 %: 0.1 * (0.0816497 + 12 * 0.0612372 * 0.01
  // * 1.0032)
  EXPECT_NEAR(friendly_frames(0.01, 0.1), 112.34, 0.05);
  // For small p it is the square root law, sqrt(3/2) / (R sqrt(p)).
  EXPECT_NEAR(friendly_frames(1e-8, 0.02) / (std::sqrt(1.5) / (0.02 * 1e-4)), 1, 0.001);
  EXPECT_GT(friendly_frames(0.001, 0.1), friendly_frames(0.002, 0.1));
  EXPECT_GT(friendly_frames(0.001, 0.1), friendly_frames(0.001, 0.2));
}

TEST(LossIntervals, NoEventIsNoLoss) {
  LossIntervals intervals;
  intervals.add(1'000'000, 0, 0);
  EXPECT_EQ(intervals.loss(), 0);
}

TEST(LossIntervals, SteadyLossIsItsRate) {
  LossIntervals intervals;
  for (int i = 0; i < 20; ++i) intervals.add(1000, 10, 0);
  EXPECT_NEAR(intervals.loss(), 0.01, 1e-6);
}

TEST(LossIntervals, OldEventsFade) {
  LossIntervals intervals;
  for (int i = 0; i < 20; ++i) intervals.add(1000, 100, 0);
  const double before = intervals.loss();
  double last = before;
  for (int i = 0; i < 50; ++i) {
    intervals.add(1000, 0, 0);
    EXPECT_LE(intervals.loss(), last);
    last = intervals.loss();
  }
  EXPECT_LT(last, before / 1000);
}

TEST(LossIntervals, ANewEventAfterALongTimeIsNotForgotten) {
  LossIntervals intervals;
  for (int i = 0; i < 20; ++i) intervals.add(1000, 1, 0);
  intervals.add(1000, 8, 0);
  EXPECT_NEAR(intervals.loss(), 0.008, 1e-6);
}

struct Path {
  FriendlyRate rate;
  Time now = 1s;
  Time round_trip = 20ms;
  explicit Path(std::uint64_t least = 10'000, std::uint64_t most = 10'000'000) {
    rate.set_limits(least, most);
    rate.begin(now);
  }
  void second(double events_a_frame) {
    const std::uint64_t frames = rate.rate() / 1000;
    rate.hear(frames, static_cast<std::uint64_t>(static_cast<double>(frames) * events_a_frame),
              round_trip, now += 1s);
  }
};

TEST(FriendlyRate, BeginsAtTheMost) { EXPECT_EQ(Path{}.rate.rate(), 10'000'000u); }

TEST(FriendlyRate, TheFirstEventHalvesItAtMost) {
  Path path;
  path.rate.hear(100, 1, path.round_trip, path.now += 1s);
  EXPECT_NEAR(static_cast<double>(path.rate.rate()), 5e6, 1e5);
}

TEST(FriendlyRate, SettlesWhereTheEquationSays) {
  Path path;
  for (int i = 0; i < 100; ++i) path.second(0.01);
  const double should = friendly_frames(0.01, 0.02) * 1000;
  EXPECT_NEAR(static_cast<double>(path.rate.rate()), should, should / 10);
}

TEST(FriendlyRate, StaysWithinItsLimitsAndComesBack) {
  Path path;
  for (int i = 0; i < 100; ++i) {
    path.second(0.5);
    EXPECT_GE(path.rate.rate(), 10'000u);
    EXPECT_LE(path.rate.rate(), 10'000'000u);
  }
  EXPECT_LT(path.rate.rate(), 100'000u);
  int seconds = 0;
  while (path.rate.rate() < 10'000'000 && seconds < 1000) {
    const std::uint64_t before = path.rate.rate();
    path.second(0);
    EXPECT_GE(path.rate.rate(), before);
    ++seconds;
  }
  EXPECT_LT(seconds, 1000);
}

TEST(FriendlyRate, NeverMoreThanDoublesInAReport) {
  Path path;
  for (int i = 0; i < 30; ++i) path.second(0.3);
  path.round_trip = 1us;  // the equation allows anything
  const std::uint64_t before = path.rate.rate();
  path.second(0);
  EXPECT_EQ(path.rate.rate(), 2 * before);
}

TEST(FriendlyRate, WithoutReportsItIsHalvedToTheLeast) {
  Path path;
  path.rate.expire(20ms, path.now += 4s - 1ns);
  EXPECT_EQ(path.rate.rate(), 10'000'000u);
  path.rate.expire(20ms, path.now += 1ns);
  EXPECT_EQ(path.rate.rate(), 5'000'000u);
  for (int i = 0; i < 100; ++i) path.rate.expire(20ms, path.now += 1s);
  EXPECT_EQ(path.rate.rate(), 10'000u);
}

TEST(FriendlyRate, OtherLimitsKeepWhatThePathAllowed) {
  Path path;
  for (int i = 0; i < 100; ++i) path.second(0.01);
  const std::uint64_t before = path.rate.rate();
  path.rate.set_limits(10'000, 20'000'000);
  EXPECT_EQ(path.rate.rate(), before);
  Path good;
  good.rate.set_limits(10'000, 20'000'000);
  EXPECT_EQ(good.rate.rate(), 20'000'000u);
}

}  // namespace
}  // namespace penstock
