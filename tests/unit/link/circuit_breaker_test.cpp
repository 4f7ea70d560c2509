#include "penstock/link/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;
using Breaker = CircuitBreaker;
using State = Breaker::State;

constexpr std::uint32_t bad = Breaker::trip_ppm + 1;
constexpr std::uint32_t bearable = Breaker::trip_ppm;

// Reports come once a second.
struct Link {
  Breaker breaker;
  Time now = 100s;

  Link() { breaker.begin(now); }
  void second(std::uint32_t lost_ppm) {
    now += 1s;
    breaker.expire(true, now);
    breaker.hear(now);
    breaker.judge(lost_ppm, now);
  }
  void seconds(unsigned count, std::uint32_t lost_ppm) {
    while (count-- > 0) second(lost_ppm);
  }
  void silent_seconds(unsigned count) {
    while (count-- > 0) breaker.expire(true, now += 1s);
  }
  // How long it stays open although the path is good.
  Time open_time() {
    const Time from = now;
    while (breaker.state() == State::open) second(0);
    return now - from;
  }
};

TEST(CircuitBreaker, HalfOfTheFramesMayBeLostForEver) {
  Link link;
  link.seconds(1000, bearable);
  EXPECT_EQ(link.breaker.state(), State::closed);
  EXPECT_FALSE(link.breaker.take_event());
}

TEST(CircuitBreaker, ShortOutagesAreNoneOfItsBusiness) {
  Link link;
  for (int i = 0; i < 100; ++i) {
    link.seconds(Breaker::bad_reports - 1, 1'000'000);
    link.second(0);
  }
  EXPECT_EQ(link.breaker.state(), State::closed);
}

TEST(CircuitBreaker, StopsAndSaysSoOnce) {
  Link link;
  link.seconds(Breaker::bad_reports, 800'000);
  EXPECT_EQ(link.breaker.state(), State::open);
  const auto event = link.breaker.take_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, BreakerEvent::Kind::stopped);
  EXPECT_EQ(event->lost_ppm, 800'000u);
  EXPECT_FALSE(link.breaker.take_event());
  EXPECT_EQ(link.breaker.trips(), 1u);
}

TEST(CircuitBreaker, TriesAgainAtASixteenthAndDoubles) {
  Link link;
  link.seconds(Breaker::bad_reports, bad);
  (void)link.breaker.take_event();
  EXPECT_EQ(link.open_time(), Breaker::first_wait);
  // The report that came with the second in which it began to try counts already.
  EXPECT_EQ(link.breaker.halvings(), Breaker::most_halvings - 1);
  for (unsigned left = Breaker::most_halvings - 1; left > 0; --left) {
    EXPECT_EQ(link.breaker.state(), State::probing);
    EXPECT_FALSE(link.breaker.take_event());
    link.second(0);
    EXPECT_EQ(link.breaker.halvings(), left - 1);
  }
  EXPECT_EQ(link.breaker.state(), State::closed);
  const auto event = link.breaker.take_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, BreakerEvent::Kind::resumed);
}

TEST(CircuitBreaker, EachFailureDoublesTheWait) {
  Link link;
  link.seconds(Breaker::bad_reports, bad);
  Time wait = Breaker::first_wait;
  for (int i = 0; i < 8; ++i) {
    const Time opened = link.now;
    while (link.breaker.state() == State::open) link.breaker.expire(true, link.now += 1s);
    EXPECT_EQ(link.now - opened, wait);
    link.seconds(Breaker::bad_probing_reports, bad);
    EXPECT_EQ(link.breaker.state(), State::open);
    wait = std::min(2 * wait, Breaker::last_wait);
  }
  EXPECT_EQ(wait, Breaker::last_wait);
}

TEST(CircuitBreaker, ABadReportNowAndThenDoesNotEndATrial) {
  Link link;
  link.seconds(Breaker::bad_reports, bad);
  link.open_time();
  while (link.breaker.state() == State::probing) {
    link.seconds(Breaker::bad_probing_reports - 1, bad);
    link.second(0);
  }
  EXPECT_EQ(link.breaker.state(), State::closed);
  EXPECT_EQ(link.breaker.trips(), 1u);
}

TEST(CircuitBreaker, ARateThatThePathNeverCarriesDoesNotOscillateForEver) {
  Link link;
  Time last_trip{};
  Time wait = Breaker::first_wait;
  for (int i = 0; i < 10; ++i) {
    while (link.breaker.state() != State::open) link.second(link.breaker.halvings() == 0 ? bad : 0);
    if (last_trip != Time{}) {
      EXPECT_GE(link.now - last_trip, wait);
      wait = std::min(2 * wait, Breaker::last_wait);
    }
    last_trip = link.now;
    link.open_time();
  }
}

TEST(CircuitBreaker, AfterACalmTheWaitIsShortAgain) {
  Link link;
  link.seconds(Breaker::bad_reports, bad);
  link.open_time();
  link.seconds(Breaker::most_halvings + 1, 0);
  link.seconds(static_cast<unsigned>(Breaker::calm / 1s), 0);
  link.seconds(Breaker::bad_reports, bad);
  EXPECT_EQ(link.open_time(), Breaker::first_wait);
}

TEST(CircuitBreaker, SilenceStopsAndTheFirstReportTriesAgain) {
  Link link;
  link.silent_seconds(static_cast<unsigned>(Breaker::silence / 1s) - 1);
  EXPECT_EQ(link.breaker.state(), State::closed);
  link.silent_seconds(1);
  EXPECT_EQ(link.breaker.state(), State::open);
  EXPECT_EQ(link.breaker.take_event()->lost_ppm, 1'000'000u);
  link.breaker.hear(link.now += 1s);
  EXPECT_EQ(link.breaker.state(), State::probing);
}

TEST(CircuitBreaker, SilenceWhileNothingIsSentSaysNothing) {
  Link link;
  for (int i = 0; i < 1000; ++i) link.breaker.expire(false, link.now += 1s);
  EXPECT_EQ(link.breaker.state(), State::closed);
}

TEST(CircuitBreaker, ANewSessionEndsASilentStopAndNoOther) {
  Link silent;
  silent.silent_seconds(40);
  silent.breaker.begin(silent.now);
  EXPECT_EQ(silent.breaker.state(), State::probing);
  Link lossy;
  lossy.seconds(Breaker::bad_reports, bad);
  lossy.breaker.begin(lossy.now);
  EXPECT_EQ(lossy.breaker.state(), State::open);
}

}  // namespace
}  // namespace penstock
