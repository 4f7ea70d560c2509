#include "penstock/link/pacer.hpp"

#include <random>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;

constexpr Time start = 1000s;
constexpr std::uint64_t half = std::uint64_t{1} << 63;

// Where the next ticks stand, each met as it comes.
Time after(Pacer& pacer, int ticks) {
  for (int i = 0; i < ticks; ++i) EXPECT_EQ(pacer.advance(pacer.next()), 0u);
  return pacer.next();
}

TEST(Pacer, TheFirstTickStandsAnywhereInAnInterval) {
  EXPECT_EQ(Pacer(1'000'000, 0, start).next(), start);
  EXPECT_EQ(Pacer(1'000'000, half, start).next(), start + 500us);
  EXPECT_EQ(Pacer(1'000'000, UINT64_MAX, start).next(), start + 1ms - 1ns);
}

TEST(Pacer, ARateThatDividesNoSecondDoesNotDrift) {
  for (const std::uint64_t rate : {3u, 7'000u, 333'333u, 299'999'999u, 7u}) {
    Pacer pacer{rate, 0, start};
    const int ticks = rate < 1000 ? static_cast<int>(rate) : 7000;
    const auto parts = static_cast<std::uint64_t>(ticks) * Pacer::second_of_rate;
    EXPECT_EQ(after(pacer, ticks) - start, Time{static_cast<Time::rep>(parts / rate)}) << rate;
  }
}

TEST(Pacer, IsDueAtItsTickAndNotBefore) {
  Pacer pacer{1'000'000, half, start};
  EXPECT_FALSE(pacer.is_due(start + 500us - 1ns));
  EXPECT_TRUE(pacer.is_due(start + 500us));
}

TEST(Pacer, ALateTickLeavesTheNextWhereItWas) {
  Pacer pacer{1'000'000, 0, start};
  EXPECT_EQ(pacer.advance(start + 999us), 0u);
  EXPECT_EQ(pacer.next(), start + 1ms);
}

TEST(Pacer, TicksThatPassedAreCountedAndNotMadeUp) {
  Pacer pacer{1'000'000, 0, start};
  EXPECT_EQ(pacer.advance(start + 5ms + 300us), 5u);
  EXPECT_EQ(pacer.next(), start + 6ms);
  EXPECT_EQ(pacer.stats().ticks, 6u);
  EXPECT_EQ(pacer.stats().missed, 5u);
  EXPECT_EQ(pacer.advance(start + 6ms), 0u);
}

TEST(Pacer, TheTickThatIsReachedToTheNanosecondIsNotMissed) {
  Pacer pacer{3'000'000, 0, start};  // 333333.3 ns
  EXPECT_EQ(pacer.advance(start + 999'999ns), 2u);
  EXPECT_EQ(pacer.next(), start + 1ms);
  EXPECT_EQ(pacer.advance(start + 2ms), 3u);
  EXPECT_EQ(pacer.next(), start + 2'333'333ns);
}

TEST(Pacer, ATickBetweenTwoNanosecondsIsPassedOnce) {
  std::mt19937_64 random{1};
  for (const std::uint64_t rate : {833'333'333u, 84'459'459u, 100'000'000u}) {
    Pacer pacer{rate, random(), start};
    Pacer paused = pacer;
    for (int i = 0; i < 20'000; ++i) {
      const Time late = pacer.interval() * static_cast<Time::rep>(random() % 4) +
                        Time{static_cast<Time::rep>(random() % 4)};
      const Time now = pacer.next() + late;
      pacer.advance(now);
      ASSERT_GT(pacer.next(), now) << rate;
      ASSERT_LE(pacer.next(), now + pacer.interval() + 1ns) << rate;
      paused.resume(now);
      ASSERT_EQ(paused.next(), pacer.next()) << rate;
    }
  }
}

TEST(Pacer, AfterDaysOfSilenceItStillCounts) {
  Pacer pacer{Pacer::max_rate, 0, start};
  EXPECT_EQ(pacer.advance(start + 24h * 30), static_cast<std::uint64_t>(Time{24h * 30}.count()));
  EXPECT_EQ(pacer.next(), start + 24h * 30 + 1ns);
}

TEST(Pacer, ARateChangeKeepsTheShareThatIsLeft) {
  Pacer pacer{1'000'000, 0, start};
  pacer.advance(start);
  pacer.set_rate(500'000, start + 250us);  // three quarters of it were left
  EXPECT_EQ(pacer.next(), start + 250us + 1500us);
  EXPECT_EQ(after(pacer, 1), start + 1750us + 2ms);
  pacer.set_rate(4'000'000, start + 1750us);
  EXPECT_EQ(pacer.next(), start + 1750us + 250us);
}

TEST(Pacer, ARateChangeBehindATickLeavesThatDue) {
  Pacer pacer{1'000'000, 0, start};
  pacer.set_rate(1, start + 3us);
  EXPECT_TRUE(pacer.is_due(start + 3us));
}

TEST(Pacer, OnTimeIsWithinAFifthOfTheIntervalSinceTheLastFrame) {
  Pacer pacer{1'000'000, 0, start};
  const auto leave = [&pacer](Time at) {
    pacer.advance(start + at);
    pacer.depart(start + at);
    return pacer.stats().on_time;
  };
  EXPECT_EQ(leave(0us), 1u);
  EXPECT_EQ(leave(1ms + 200us), 2u);
  EXPECT_EQ(leave(2ms), 3u);          // 800 us later
  EXPECT_EQ(leave(3ms + 201us), 3u);  // 1201 us later
  EXPECT_EQ(leave(4ms), 3u);          // 799 us later
  EXPECT_EQ(leave(5ms + 100us), 4u);
  EXPECT_EQ(pacer.stats().latest, Time{201us});
}

TEST(Pacer, AMissedTickIsOneWithoutAFrame) {
  Pacer pacer{1'000'000, 0, start};
  pacer.advance(start);
  pacer.miss();
  EXPECT_EQ(pacer.stats().ticks, 1u);
  EXPECT_EQ(pacer.stats().missed, 1u);
}

TEST(Pacer, APauseCountsForNothingAndKeepsTheGrid) {
  Pacer pacer{1'000'000, half, start};
  pacer.advance(start + 500us);
  pacer.depart(start + 500us);
  pacer.resume(start + 10s);
  EXPECT_EQ(pacer.next(), start + 10s + 500us);
  pacer.resume(start + 10s);
  EXPECT_EQ(pacer.next(), start + 10s + 500us);
  pacer.advance(start + 10s + 600us);
  pacer.depart(start + 10s + 600us);
  EXPECT_EQ(pacer.stats().ticks, 2u);
  EXPECT_EQ(pacer.stats().missed, 0u);
  EXPECT_EQ(pacer.stats().on_time, 2u);
}

TEST(Pacer, RestartIsAWholeIntervalAway) {
  Pacer pacer{3'000'000, half, start};
  pacer.restart(start + 1s);
  EXPECT_EQ(pacer.next(), start + 1s + 333'334ns);
}

}  // namespace
}  // namespace penstock
