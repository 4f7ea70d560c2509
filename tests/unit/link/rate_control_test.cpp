#include "penstock/link/rate_control.hpp"

#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;
using State = CircuitBreaker::State;

constexpr RateLimits constant{.mode = ShapeMode::constant, .rates = {1'000'000}};
constexpr RateLimits adapting{
    .mode = ShapeMode::constant, .rates = {1'000'000}, .adapts = true, .least = 50'000};

// A lane that sends by a RateControl over a path on virtual time, and a receiver who reports.
class Link {
 public:
  explicit Link(const RateLimits& limits, unsigned seed = 1) : control(limits), random_(seed) {
    control.begin_sa(now);
  }

  RateControl control;
  Time now = 1000s;
  Time delay = 15ms;  // each way
  double loss = 0;    // of frames
  double marks = 0;   // of frames
  double report_loss = 0;
  double capacity = 1e9;  // frames a second that the path carries; the rest is lost
  std::uint64_t most = 1'000'000;
  std::vector<BreakerEvent> events;

  // Ends `time` later, or as soon as `until()`.
  template <typename Until>
  bool run(Time time, const Until& until) {
    const Time end = now + time;
    while (now < end) {
      if (until()) return true;
      now += 1ms;
      send();
      receive();
      report();
      control.expire(now);
      if (const auto event = control.take_event()) events.push_back(*event);
      EXPECT_LE(control.rate(), most);
    }
    return until();
  }
  bool run(Time time) {
    return run(time, [] { return false; });
  }
  bool run_to(Time time, State state) {
    return run(time, [&] { return control.state() == state; });
  }
  void rekey() {
    sent_ = 0;
    window_ = {};
    tally_ = {};
    frames_.clear();
    reports_.clear();
    control.begin_sa(now);
  }

 private:
  struct OnTheWay {
    Time arrives;
    std::uint64_t number;
    bool is_marked;
  };
  bool chance(double share) { return std::uniform_real_distribution{}(random_) < share; }

  void send() {
    credit_ += static_cast<double>(control.rate()) / 1e6;
    while (credit_ >= 1) {
      credit_ -= 1;
      control.tick({}, now);
      leave();
    }
    if (control.rate() == 0 && now >= keepalive_) leave();
  }
  void leave() {
    keepalive_ = now + limits::keepalive;
    const double rate = static_cast<double>(control.rate()) / 1000;
    const double overload = rate > capacity ? 1 - capacity / rate : 0;
    if (!chance(loss) && !chance(overload))
      frames_.push_back({.arrives = now + delay, .number = sent_, .is_marked = chance(marks)});
    ++sent_;
  }
  void receive() {
    for (; !frames_.empty() && frames_.front().arrives <= now; frames_.pop_front()) {
      const std::uint64_t before = window_.next();
      ASSERT_EQ(window_.admit({frames_.front().number}), ReplayVerdict::fresh);
      tally_.admit(window_, before, frames_.front().is_marked, now);
    }
  }
  void report() {
    if (far_.is_due(now)) {
      tally_.set_round_trip(2 * delay);
      FrameReport report = far_.make(0, tally_, window_.next(), 2 * delay, now);
      report.echo =
          static_cast<std::uint64_t>(now.count()) - static_cast<std::uint64_t>(delay.count());
      if (!chance(report_loss)) reports_.push_back({now + delay, report});
    }
    for (; !reports_.empty() && reports_.front().first <= now; reports_.pop_front())
      EXPECT_TRUE(control.hear(reports_.front().second, sent_, now));
  }

  std::mt19937 random_;
  double credit_ = 0;
  std::uint64_t sent_ = 0;
  Time keepalive_{};
  std::deque<OnTheWay> frames_;
  ReplayWindow window_;
  FrameTally tally_;
  Reporter far_;
  std::deque<std::pair<Time, FrameReport>> reports_;
};

TEST(RateControl, AConstantRateIsConstant) {
  Link link{constant};
  for (const double loss : {0.0, 0.001, 0.2, 0.4}) {
    link.loss = loss;
    link.run(60s, [&] { return link.control.rate() != 1'000'000; });
    EXPECT_EQ(link.control.rate(), 1'000'000u) << loss;
  }
  EXPECT_TRUE(link.events.empty());
}

TEST(RateControl, MeasuresLossMarksAndTheRoundTrip) {
  Link link{constant};
  link.loss = 0.1;
  link.marks = 0.05;
  link.run(100s);
  EXPECT_NEAR(static_cast<double>(link.control.sums().lost), 10'000, 500);
  EXPECT_NEAR(static_cast<double>(link.control.sums().marked), 4'500, 500);
  EXPECT_NEAR(link.control.sums().last_ppm, 100'000, 50'000);
  EXPECT_NEAR(static_cast<double>(link.control.round_trip().count()), 30e6, 1e6);
  EXPECT_GE(link.control.sums().heard, 98u);
}

TEST(RateControl, PersistentLossStopsItAndItComesBackByItself) {
  Link link{constant};
  link.run(10s);
  link.loss = 0.8;
  ASSERT_TRUE(link.run_to(10s, State::open));
  EXPECT_EQ(link.control.rate(), 0u);
  ASSERT_EQ(link.events.size(), 1u);
  EXPECT_NEAR(link.events[0].lost_ppm, 800'000, 60'000);
  link.loss = 0;
  ASSERT_TRUE(link.run_to(CircuitBreaker::first_wait, State::probing));
  EXPECT_EQ(link.control.rate(), 62'500u);
  ASSERT_TRUE(link.run_to(20s, State::closed));
  EXPECT_EQ(link.control.rate(), 1'000'000u);
  ASSERT_EQ(link.events.size(), 2u);
  EXPECT_EQ(link.events[1].kind, BreakerEvent::Kind::resumed);
}

TEST(RateControl, APathThatDiedStopsItAsWell) {
  Link link{constant};
  link.run(10s);
  link.loss = 1;  // reports come and say the same again and again
  ASSERT_TRUE(link.run_to(10s, State::open));
  EXPECT_EQ(link.events.at(0).lost_ppm, 1'000'000u);
}

TEST(RateControl, LostReportsAloneDoNotStopItBelowTheSilence) {
  Link link{constant};
  link.report_loss = 0.6;
  link.run(600s);
  EXPECT_TRUE(link.events.empty());
  link.report_loss = 1;
  ASSERT_TRUE(link.run_to(CircuitBreaker::silence + 10s, State::open));
  link.report_loss = 0;
  ASSERT_TRUE(link.run_to(5s, State::probing));
  ASSERT_TRUE(link.run_to(20s, State::closed));
}

TEST(RateControl, ARekeyIsNoLoss) {
  Link link{constant};
  for (int i = 0; i < 50; ++i) {
    link.run(7s);
    link.rekey();
  }
  EXPECT_TRUE(link.events.empty());
  EXPECT_EQ(link.control.sums().lost, 0u);
}

TEST(RateControl, WhatItCannotCarryAtAllIsTriedLessAndLess) {
  Link link{constant};
  link.capacity = 200;  // of 1000
  link.run(3600s);
  EXPECT_GE(link.control.trips(), 3u);
  EXPECT_LE(link.control.trips(), 60u);  // 10 s, 20 s, 40 s, 60 s, ... of waiting
}

TEST(RateControl, AdaptsToWhatThePathCarries) {
  Link link{adapting};
  link.run(5s);
  EXPECT_EQ(link.control.rate(), 1'000'000u);
  link.capacity = 400;
  link.run(60s);
  EXPECT_LT(link.control.rate(), 500'000u);
  EXPECT_GE(link.control.rate(), 50'000u);
  EXPECT_TRUE(link.events.empty());
  link.capacity = 1e9;
  EXPECT_TRUE(link.run(300s, [&] { return link.control.rate() == 1'000'000; }));
}

TEST(RateControl, MarksLowerAnAdaptingRateAndNoOther) {
  Link link{adapting};
  link.marks = 0.2;
  link.run(60s);
  EXPECT_LT(link.control.rate(), 300'000u);
  EXPECT_GE(link.control.rate(), 50'000u);
  Link fixed{constant};
  fixed.marks = 1;
  fixed.run(60s);
  EXPECT_EQ(fixed.control.rate(), 1'000'000u);
}

TEST(RateControl, SlowLinksAreJudgedByEnoughFrames) {
  Link link{{.mode = ShapeMode::constant, .rates = {2'000}}};  // two a second
  link.most = 2'000;
  link.loss = 0.2;
  link.run(2000s);
  EXPECT_TRUE(link.events.empty());
  link.loss = 0.9;
  EXPECT_TRUE(link.run_to(120s, State::open));
  link.loss = 0;
  EXPECT_TRUE(link.run_to(120s, State::closed));
}

TEST(RateControl, ACappedBurstHasNoBreaker) {
  Link link{{.mode = ShapeMode::burst, .rates = {1'000'000}}};
  link.loss = 1;
  link.report_loss = 1;
  link.run(100s);
  EXPECT_EQ(link.control.rate(), 1'000'000u);
}

TEST(RateControl, ALieIsNotBelieved) {
  RateControl control{constant};
  control.begin_sa(1s);
  EXPECT_FALSE(control.hear({.next = 11, .admitted = 1, .clock = 1}, 10, 2s));
  EXPECT_TRUE(control.hear({.next = 10, .admitted = 10, .clock = 1}, 10, 2s));
  EXPECT_FALSE(control.hear({.next = 9, .admitted = 9, .clock = 2}, 10, 3s));
  EXPECT_FALSE(control.hear({.next = 10, .admitted = 9, .clock = 2}, 10, 3s));
  EXPECT_TRUE(control.hear({.next = 9, .admitted = 9, .clock = 1}, 10, 3s));  // an old one
  EXPECT_EQ(control.sums().heard, 1u);
  // An echo of what we have not said yet, or that was held for longer than it exists.
  EXPECT_TRUE(control.hear(
      {.next = 10, .admitted = 10, .clock = 3, .echo = 4'000'000'001, .held_ns = 0}, 10, 4s));
  EXPECT_TRUE(control.hear(
      {.next = 10, .admitted = 10, .clock = 4, .echo = 4'000'000'000, .held_ns = 9'000'000'000}, 10,
      5s));
  EXPECT_EQ(control.round_trip(), 0s);
}

// Whatever a peer with the key reports: the rate is one of those that are configured, or less.
TEST(RateControl, NoReportsMakeItFasterThanConfigured) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random{seed};
    RateControl control{adapting};
    Time now = 1s;
    control.begin_sa(now);
    std::uint64_t sent = 0;
    for (int i = 0; i < 300; ++i) {
      now += Time{static_cast<Time::rep>(random() % 2'000'000'000)};
      for (std::uint64_t ticks = random() % 50; ticks > 0; --ticks) control.tick({}, now);
      sent += random() % 1000;
      const std::uint64_t next = random() % (sent + 1);
      const std::uint64_t admitted = random() % (next + 1);
      (void)control.hear({.next = next,
                          .admitted = admitted,
                          .marked = random() % (admitted + 1),
                          .events = random() % (next + 1),
                          .clock = random() % 4 == 0 ? random() : static_cast<std::uint64_t>(i),
                          .echo = random() % 5'000'000'000,
                          .held_ns = random() % 5'000'000'000},
                         sent, now);
      control.expire(now);
      EXPECT_LE(control.rate(), 1'000'000u);
      if (random() % 50 == 0) control.begin_sa(now);
    }
  }
}

// Any path that turns good again is used in full again.
TEST(RateControl, AlwaysRecoversWhenLossEnds) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    Link link{seed % 2 == 0 ? adapting : constant, seed};
    std::mt19937 random{seed};
    for (int i = 0; i < 10; ++i) {
      link.loss = static_cast<double>(random() % 101) / 100;
      link.report_loss = static_cast<double>(random() % 101) / 100;
      link.marks = static_cast<double>(random() % 101) / 100;
      link.run(std::chrono::seconds{1 + random() % 60});
      if (random() % 4 == 0) link.rekey();
    }
    link.loss = link.report_loss = link.marks = 0;
    EXPECT_TRUE(link.run(15min, [&] { return link.control.rate() == 1'000'000; })) << seed;
    // Each stop is told with its end.
    EXPECT_TRUE(link.events.empty() || link.events.back().kind == BreakerEvent::Kind::resumed);
  }
}

TEST(RateControl, NeverStopsOnAPathThatLosesAFifth) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    Link link{constant, seed};
    link.loss = 0.2;
    link.report_loss = 0.2;
    link.run(600s);
    EXPECT_EQ(link.control.trips(), 0u) << seed;
  }
}

TEST(RateControl, QuantizedStepsAreLoweredToo) {
  Link link{{.mode = ShapeMode::quantized,
             .rates = {100'000, 1'000'000},
             .steps = 2,
             .dwell = 10s,
             .adapts = true,
             .least = 20'000}};
  EXPECT_EQ(link.control.rate(), 100'000u);
  link.marks = 0.5;
  link.run(60s);
  EXPECT_LT(link.control.rate(), 100'000u);
  EXPECT_GE(link.control.rate(), 20'000u);
  EXPECT_EQ(link.control.step(), 0u);
}

}  // namespace
}  // namespace penstock
