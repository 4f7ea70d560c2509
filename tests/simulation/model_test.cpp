// Every sequence of choices about sessions, within bounds that take seconds; scripts/simulate
// --model goes deeper.
#include <gtest/gtest.h>

#include "tests/simulation/explore.hpp"

namespace penstock::simulation {
namespace {

void expect_sound(const ModelSetup& setup, const Bounds& bounds, std::uint64_t least_states) {
  const Exploration found = explore(setup, bounds);
  EXPECT_FALSE(found.failure) << found.failure->invariant << ": " << found.failure->text << "\n"
                              << found.choices;
  EXPECT_GE(found.states, least_states);
  EXPECT_GT(found.fair_runs, 0u);
  testing::Test::RecordProperty("states", static_cast<int>(found.states));
}

// A seed makes the nonces, which decide ties.
class EverySeed : public testing::TestWithParam<std::uint64_t> {};

TEST_P(EverySeed, ARekeyWithOneFaultAnywhere) {
  expect_sound({.seed = GetParam()}, {.depth = 11, .faults = 1, .rekeys = 1}, 1000);
}

TEST_P(EverySeed, TwoRekeysAtOnceWithoutAFault) {
  expect_sound({.seed = GetParam()}, {.depth = 14, .faults = 0, .rekeys = 2}, 500);
}

TEST_P(EverySeed, TheFirstSessionWithOneFaultAnywhere) {
  expect_sound({.seed = GetParam(), .has_session = false}, {.depth = 12, .faults = 1, .rekeys = 0},
               300);
}

INSTANTIATE_TEST_SUITE_P(Model, EverySeed, testing::Range<std::uint64_t>(1, 4));

TEST(Model, ARekeyWithTwoFaultsEarlyOn) {
  expect_sound({.seed = 1}, {.depth = 6, .faults = 2, .rekeys = 1}, 2000);
}

// alpha's answer to a rekey that beta takes for done gets lost for longer than alpha waits, and
// alpha's penstockd has forgotten that a rekey was due: both would send on a session that the
// other does not have, until the next rekey by age.
TEST(Model, WhoGivesUpASessionThatMayHaveBeenHeardStartsAnother) {
  using enum Choice::Kind;
  const Choice from_alpha{.kind = deliver, .site = 0};
  const Choice from_beta{.kind = deliver, .site = 1};
  const Choice alpha_reads{.kind = read, .site = 0};
  const Choice beta_reads{.kind = read, .site = 1};
  const Exploration found = retrace({.seed = 2}, {{.kind = rekey, .site = 0},
                                                  from_alpha,
                                                  beta_reads,  // message 1
                                                  from_beta,
                                                  alpha_reads,  // message 2
                                                  from_alpha,
                                                  beta_reads,  // message 3
                                                  beta_reads,  // and the install
                                                  from_beta,
                                                  alpha_reads,  // message 4
                                                  {.kind = crash_controller, .site = 0},
                                                  {.kind = cut, .site = 1}});
  EXPECT_FALSE(found.failure) << found.choices;
}

struct Wrong {
  ModelMutation mutation;
  std::string_view property;
};

class EveryWrong : public testing::TestWithParam<Wrong> {};

TEST_P(EveryWrong, IsFound) {
  const Exploration found = explore({.seed = 1, .mutation = GetParam().mutation},
                                    {.depth = 10, .faults = 0, .rekeys = 2});
  ASSERT_TRUE(found.failure);
  EXPECT_EQ(found.failure->invariant, GetParam().property) << found.choices;
}

INSTANTIATE_TEST_SUITE_P(Model, EveryWrong,
                         testing::Values(Wrong{ModelMutation::repeats_a_key, "key installed twice"},
                                         Wrong{ModelMutation::believes_at_once,
                                               "only a confirmed session displaces another"},
                                         Wrong{ModelMutation::forgets_a_session,
                                               "a confirmed session stays"},
                                         Wrong{ModelMutation::is_deaf, "never stuck"}));

}  // namespace
}  // namespace penstock::simulation
