// Whole lives of a link, by seed. A failure prints its seed; the same seed fails again.
#include "tests/unit/controlplane/session/simulation.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace penstock::controlplane {
namespace {

constexpr WireModel bad_wire{
    .loss_percent = 20, .double_percent = 20, .shortest = 1ms, .longest = 300ms};

void expect_sane(Simulation& simulation) {
  for (int i = 0; i < 2; ++i) {
    const auto& site = simulation.site(i);
    EXPECT_EQ(site.past.wrong_key, 0u);
    EXPECT_EQ(site.past.refused, 0u);
    if (!site.dataplane) continue;
    EXPECT_EQ(site.dataplane->counters().wrong_key, 0u);
    EXPECT_EQ(site.dataplane->counters().refused, 0u);
  }
}

class EverySeed : public testing::TestWithParam<std::uint64_t> {
 protected:
  Simulation simulation{GetParam()};
};

TEST_P(EverySeed, BothStartAtOnceAndSettleOnOneSession) {
  simulation.wire = bad_wire;
  simulation.start_both();
  EXPECT_TRUE(simulation.run_until_converged(120s)) << "seed " << GetParam();
  expect_sane(simulation);
}

TEST_P(EverySeed, OneStartsLater) {
  simulation.wire = bad_wire;
  simulation.start_dataplane(0);
  simulation.start_controller(0);
  simulation.run_for(30s);
  simulation.start_dataplane(1);
  simulation.start_controller(1);
  EXPECT_TRUE(simulation.run_until_converged(120s)) << "seed " << GetParam();
  expect_sane(simulation);
}

TEST_P(EverySeed, RekeysAndSimultaneousCommandsSettle) {
  simulation.wire = bad_wire;
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(120s)) << "seed " << GetParam();
  for (int round = 0; round < 5; ++round) {
    simulation.rekey(0);
    simulation.rekey(1);
    // Long before the next rekey by age could mend what these two left behind.
    simulation.run_for(12s);
    EXPECT_TRUE(simulation.run_until_converged(40s)) << "seed " << GetParam();
  }
  EXPECT_GE(simulation.site(0).controller->status().handshakes_completed, 5u);
  expect_sane(simulation);
}

TEST_P(EverySeed, OverlappingRekeysSettle) {
  simulation.wire = bad_wire;
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(120s)) << "seed " << GetParam();
  SeededEntropy chance{GetParam() + 33};
  for (int command = 0; command < 30; ++command) {
    simulation.rekey(static_cast<int>(chance.below(2)));
    simulation.run_for(Time{static_cast<Time::rep>(chance.below(1'000'000'000))});
  }
  EXPECT_TRUE(simulation.run_until_converged(40s)) << "seed " << GetParam();
  expect_sane(simulation);
}

TEST_P(EverySeed, RecoversFromRestartsOfAnyProcess) {
  simulation.wire = bad_wire;
  simulation.start_both();
  SeededEntropy chance{GetParam() + 77};
  for (int crash = 0; crash < 12; ++crash) {
    simulation.run_for(Time{static_cast<Time::rep>(chance.below(15'000'000'000))});
    const int index = static_cast<int>(chance.below(2));
    const bool is_dataplane = chance.below(2) == 0;
    is_dataplane ? simulation.stop_dataplane(index) : simulation.stop_controller(index);
    simulation.run_for(Time{static_cast<Time::rep>(chance.below(2'000'000'000))});
    is_dataplane ? simulation.start_dataplane(index) : simulation.start_controller(index);
  }
  EXPECT_TRUE(simulation.run_until_converged(300s)) << "seed " << GetParam();
  expect_sane(simulation);
}

INSTANTIATE_TEST_SUITE_P(Simulation, EverySeed, testing::Range<std::uint64_t>(1, 51));

TEST(Simulation, SameSeedSameRun) {
  std::array<ipc::SessionId, 2> ids;
  for (auto& id : ids) {
    Simulation simulation{42};
    simulation.wire = bad_wire;
    simulation.start_both();
    ASSERT_TRUE(simulation.run_until_converged(120s));
    id = *simulation.site(0).dataplane->current();
  }
  EXPECT_EQ(ids[0], ids[1]);
}

TEST(Simulation, AGoodWireIsUpWithinASecond) {
  Simulation simulation{1};
  simulation.start_both();
  EXPECT_TRUE(simulation.run_until_converged(1s));
}

TEST(Simulation, RekeysByAgeLoseNoFrame) {
  Simulation simulation{1};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  simulation.run_for(1h);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(simulation.site(i).dataplane->counters().unknown, 0u);
    EXPECT_EQ(simulation.site(i).controller->status().handshakes_failed, 0u);
    // The first and one every 120 s.
    EXPECT_EQ(simulation.site(i).controller->status().handshakes_completed, 30u);
  }
  expect_sane(simulation);
}

TEST(Simulation, AnIdleLinkRekeysToo) {
  Simulation simulation{1};
  simulation.has_traffic = false;
  simulation.start_both();
  simulation.run_for(10min);
  EXPECT_TRUE(simulation.is_converged());
  EXPECT_EQ(simulation.site(0).controller->status().handshakes_completed, 5u);
}

TEST(Simulation, ThirtyRekeysInFifteenSeconds) {
  Simulation simulation{1, {.rekey_after = 500ms}, {.rekey_after = 500ms}};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  simulation.run_for(16s);
  for (int i = 0; i < 2; ++i) {
    EXPECT_GE(simulation.site(i).controller->status().handshakes_completed, 30u);
    EXPECT_EQ(simulation.site(i).dataplane->counters().unknown, 0u);
  }
  expect_sane(simulation);
}

TEST(Simulation, TheOtherSideRekeysWhenTheInitiatorDoesNot) {
  Simulation simulation{1};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  const bool alpha_began = simulation.site(0).controller->status().role == ipc::Role::initiator;
  const int initiator = alpha_began ? 0 : 1;
  const auto first = simulation.site(0).dataplane->current();
  // Its penstockd hangs through its own turn, without a restart: no timer, no answer ...
  simulation.stop_controller(initiator);
  simulation.run_for(125s);
  EXPECT_EQ(simulation.site(0).dataplane->current(), first);
  // ... and after it comes back the far side, or it, replaces the session.
  simulation.start_controller(initiator);
  simulation.run_for(20s);
  EXPECT_TRUE(simulation.is_converged());
  EXPECT_NE(simulation.site(0).dataplane->current(), first);
}

TEST(Simulation, ARestartedPenstockdTakesTheSessionOver) {
  Simulation simulation{1};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  const auto session = simulation.site(0).dataplane->current();
  for (int i = 0; i < 2; ++i) {
    simulation.stop_controller(i);
    simulation.run_for(5s);
    simulation.start_controller(i);
    simulation.run_for(5s);
  }
  EXPECT_TRUE(simulation.is_converged());
  EXPECT_EQ(simulation.site(0).dataplane->current(), session);
  EXPECT_EQ(simulation.site(0).dataplane->counters().unknown, 0u);
  // Its age is known: it is rekeyed when it is 120 s old, not 120 s after the restart.
  simulation.run_for(104s);
  EXPECT_NE(simulation.site(0).dataplane->current(), session);
  EXPECT_TRUE(simulation.is_converged());
}

}  // namespace
}  // namespace penstock::controlplane
