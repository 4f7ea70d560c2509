// Links with a rate over several workers: the rate is that of all lanes
// together, and what is told of one lane finds the worker that has it.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/many.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/rhythm.hpp"

#include "dataplane/control/link_sums.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using ipc::EventKind;
using test::ManyPair;
using test::ManySite;
using test::timed_session;

struct Sides {
  unsigned a;
  unsigned b;
};

class ManyLanes : public testing::TestWithParam<Sides> {
 protected:
  ManyLanes() : pair(GetParam().a, GetParam().b) {}

  ipc::LinkStats stats(ManySite& site) const { return site.main_core().link_stats().at(0); }
  std::uint64_t dropped(ManySite& site, DropReason reason) const {
    return site.main_core().total()[reason];
  }
  // Whether it does within ten times what it may take.
  bool comes(const std::function<bool()>& what) {
    for (const Time end = pair.now + 300s; !what() && pair.now < end;) pair.run(100ms, 2ms);
    return what();
  }
  bool is_closed(unsigned lane) const {
    return pair.a.session().shares[lane]->lane->rate.state() == CircuitBreaker::State::closed;
  }
  bool has_tripped_everywhere() const {
    return std::ranges::all_of(pair.a.session().shares,
                               [](const auto& share) { return share->lane->rate.trips() > 0; });
  }

  ManyPair pair;
};

INSTANTIATE_TEST_SUITE_P(DataPlane, ManyLanes,
                         testing::Values(Sides{1, 1}, Sides{2, 1}, Sides{2, 3}, Sides{3, 2},
                                         Sides{3, 5}, Sides{5, 2}),
                         [](const auto& test) {
                           return std::to_string(test.param.a) + "And" +
                                  std::to_string(test.param.b);
                         });

TEST_P(ManyLanes, HaveTheRateOfTheLinkTogether) {
  pair.connect(timed_session(1, 101));
  std::uint64_t sum = 0;
  for (const auto& share : pair.a.session().shares) {
    sum += share->shaping.rates[0];
    EXPECT_NEAR(static_cast<double>(share->shaping.rates[0]), 101'000.0 / pair.a.workers(), 1);
  }
  EXPECT_EQ(sum, 101'000u);
  pair.run(1s);
  const std::uint64_t before = stats(pair.a).ticks;
  pair.run(10s);
  EXPECT_EQ(stats(pair.a).rate, 101'000u);
  EXPECT_NEAR(static_cast<double>(stats(pair.a).ticks - before), 1010, 15);
}

TEST_P(ManyLanes, TickApartFromEachOther) {
  pair.connect(timed_session(1, 10));
  std::vector<Time> next;
  for (const auto& share : pair.a.session().shares)
    next.push_back(share->lane->pacer.next() % share->lane->pacer.interval());
  std::ranges::sort(next);
  const Time apart = pair.a.session().shares[0]->lane->pacer.interval() / pair.a.workers();
  for (std::size_t i = 1; i < next.size(); ++i)
    EXPECT_NEAR(static_cast<double>((next[i] - next[i - 1]).count()),
                static_cast<double>(apart.count()), 1e6);
}

TEST_P(ManyLanes, ReportsFindTheWorkerWhoseLaneTheyAreAbout) {
  pair.connect(timed_session(1, 200));
  pair.run(5s);
  for (ManySite* site : {&pair.a, &pair.b}) {
    for (const auto& share : site->session().shares) {
      EXPECT_GE(share->lane->rate.sums().heard, 3u) << "lane " << share->out->keys.spi().lane();
      EXPECT_EQ(share->lane->rate.sums().lost, 0u);
    }
    EXPECT_EQ(dropped(*site, DropReason::bad_control), 0u);
    EXPECT_EQ(dropped(*site, DropReason::control_full), 0u);
    EXPECT_EQ(dropped(*site, DropReason::mailbox_full), 0u);
  }
}

TEST_P(ManyLanes, OneThatLosesFramesIsTheOneThatIsToldOf) {
  pair.connect(timed_session(1, 200));
  const unsigned lossy = GetParam().a - 1;
  unsigned frames = 0;
  pair.a_passes = [&](unsigned lane) { return lane != lossy || ++frames % 4 != 0; };
  pair.run(5s);
  for (const auto& share : pair.a.session().shares) {
    const bool is_lossy = share->out->keys.spi().lane() == lossy;
    EXPECT_EQ(share->lane->rate.sums().lost > 5, is_lossy);
  }
  EXPECT_GT(stats(pair.a).frames_lost, 5u);
  EXPECT_GT(stats(pair.a).loss_ppm, 200'000u);
}

TEST_P(ManyLanes, ALinkIsStoppedOnceWhileAnyLaneIs) {
  pair.connect(timed_session(1, 200));
  pair.run(2s);
  static_cast<void>(pair.a.events());
  pair.a_passes = [](unsigned) { return false; };
  EXPECT_TRUE(comes([&] { return has_tripped_everywhere(); }));
  EXPECT_NE(stats(pair.a).breaker, ipc::BreakerState::closed);
  EXPECT_EQ(pair.a.count_events(EventKind::link_stopped), 1u);
  // All lanes but the last come back: the link is stopped still.
  const unsigned last = GetParam().a - 1;
  pair.a_passes = [=](unsigned lane) { return lane != last; };
  for (unsigned lane = 0; lane < last; ++lane)
    EXPECT_TRUE(comes([&] { return is_closed(lane); })) << lane;
  EXPECT_FALSE(is_closed(last));
  EXPECT_NE(stats(pair.a).breaker, ipc::BreakerState::closed);
  EXPECT_TRUE(pair.a.events().empty());
  pair.a_passes = [](unsigned) { return true; };
  EXPECT_TRUE(comes([&] { return is_closed(last); }));
  pair.run(1s);
  EXPECT_EQ(pair.a.count_events(EventKind::link_resumed), 1u);
  EXPECT_EQ(stats(pair.a).breaker, ipc::BreakerState::closed);
}

TEST_P(ManyLanes, StatsAreOfTheLink) {
  pair.connect(timed_session(1, 100));
  pair.run(3s);
  const auto all = pair.a.main_core().link_stats();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].is_paced, 1);
  EXPECT_EQ(all[0].mode, ShapeMode::constant);
  std::uint64_t dummies = 0;
  for (const auto& share : pair.a.session().shares) dummies += share->lane->dummies;
  EXPECT_NEAR(static_cast<double>(all[0].dummies), static_cast<double>(dummies), 15);
}

TEST(LinkSums, AddWhatAddsUpAndTellTheWorstOfTheRest) {
  ipc::LinkStats sum{
      .breaker = ipc::BreakerState::probing, .rate = 3, .ticks = 10, .latest_ns = 7, .loss_ppm = 1};
  sum.classes[1] = {.packets = 4, .delay_p99_ns = 50};
  ipc::LinkStats lane{
      .breaker = ipc::BreakerState::open, .rate = 2, .ticks = 5, .latest_ns = 9, .loss_ppm = 0};
  lane.classes[1] = {.packets = 3, .delay_p99_ns = 20};
  sum.lanes = lane.lanes = 1;
  lane.lanes_stopped = 1;
  add_lane(sum, lane);
  EXPECT_EQ(sum.breaker, ipc::BreakerState::open);
  EXPECT_EQ(sum.lanes, 2u);
  EXPECT_EQ(sum.lanes_stopped, 1u);
  EXPECT_EQ(sum.rate, 5u);
  EXPECT_EQ(sum.ticks, 15u);
  EXPECT_EQ(sum.latest_ns, 9u);
  EXPECT_EQ(sum.loss_ppm, 1u);
  EXPECT_EQ(sum.classes[1].packets, 7u);
  EXPECT_EQ(sum.classes[1].delay_p99_ns, 50u);
}

}  // namespace
}  // namespace penstock::dataplane
