// That the simulation can be believed: it repeats itself, and its checker sees what is wrong.
#include <chrono>

#include <gtest/gtest.h>

#include "penstock/base/log.hpp"
#include "tests/simulation/scenario.hpp"

namespace penstock::simulation {
namespace {

using namespace std::chrono_literals;

class Simulation : public testing::Test {
 protected:
  static void SetUpTestSuite() { log::start("simulation", log::Level::error); }
};

TEST_F(Simulation, ASeedRepeatsItself) {
  const Options options{.seed = 7, .length = 2min};
  const Outcome first = simulate(options);
  const Outcome second = simulate(options);
  EXPECT_GT(first.events, 1000u);
  EXPECT_EQ(first.events, second.events);
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_NE(first.hash, simulate({.seed = 8, .length = 2min}).hash);
}

TEST_F(Simulation, NothingIsFoundInTheFirstSeeds) {
  std::uint64_t calm_packets = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome outcome = simulate({.seed = seed, .length = 3min});
    EXPECT_FALSE(outcome.failure) << "seed " << seed << ": " << outcome.failure->invariant << ": "
                                  << outcome.failure->text << "\n"
                                  << outcome.last_events;
    calm_packets += outcome.statistics.calm_packets;
  }
  EXPECT_GT(calm_packets, 1000u);
}

class EveryMutation : public testing::TestWithParam<std::size_t> {};

TEST_P(EveryMutation, IsCaughtByItsInvariant) {
  const auto mutation = static_cast<Mutation>(GetParam());
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Outcome outcome = simulate({.seed = seed, .length = 10min, .mutation = mutation});
    if (!outcome.failure) continue;
    EXPECT_EQ(outcome.failure->invariant, info(mutation).invariant) << outcome.failure->text;
    return;
  }
  ADD_FAILURE() << info(mutation).name << " was not seen in 20 seeds";
}

INSTANTIATE_TEST_SUITE_P(Simulation, EveryMutation,
                         testing::Range<std::size_t>(1, mutations.size()), [](const auto& test) {
                           std::string name{mutations[test.param].name};
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace penstock::simulation
