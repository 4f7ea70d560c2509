#include "src/crypto/sealing/hash_plan.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "dice.hpp"
#include "penstock/crypto/frame_engine.hpp"

namespace penstock {
namespace {

using Costs = HashPlan::Costs;
constexpr std::size_t most = HashPlan::most_lanes;

// What a manager costs that hashes `lanes` frames side by side, for `start` and so much a pass.
Costs lanes_of(std::size_t lanes, double start, double pass) {
  Costs costs{};
  for (std::size_t frames = 1; frames <= most; ++frames) {
    const std::size_t passes = (frames + lanes - 1) / lanes;
    costs[frames] = start + pass * static_cast<double>(passes);
  }
  return costs;
}

Costs random_costs(Dice& dice) {
  constexpr std::array<std::size_t, 5> lanes{1, 2, 4, 8, 16};
  return lanes_of(dice.one_of(lanes), static_cast<double>(dice.below(4)),
                  static_cast<double>(1 + dice.below(100)));
}

// Of what a cut is carried out with: one call a manager.
double cost_of(const HashPlan::Cut& cut, const std::vector<Costs>& managers) {
  double sum = 0;
  for (std::size_t m = 0; m < managers.size(); ++m)
    if (cut[m] != 0) sum += managers[m][cut[m]];
  return sum;
}

std::size_t frames_in(const HashPlan::Cut& cut) {
  return std::accumulate(cut.begin(), cut.end(), std::size_t{0});
}

double best_of_all_cuts(std::size_t frames, const std::vector<Costs>& managers) {
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t a = 0; a <= frames; ++a)
    for (std::size_t b = 0; a + b <= frames; ++b) {
      const HashPlan::Cut cut{static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b),
                              static_cast<std::uint8_t>(frames - a - b)};
      bool is_possible = true;
      for (std::size_t m = managers.size(); m < cut.size(); ++m)
        is_possible = is_possible && cut[m] == 0;
      if (is_possible) best = std::min(best, cost_of(cut, managers));
    }
  return best;
}

void expect_best_cuts(const std::vector<Costs>& managers) {
  const HashPlan plan{managers};
  for (std::size_t frames = 1; frames <= most; ++frames) {
    const HashPlan::Cut& cut = plan.cut(frames);
    ASSERT_EQ(frames_in(cut), frames);
    for (std::size_t m = managers.size(); m < cut.size(); ++m) ASSERT_EQ(cut[m], 0);
    ASSERT_DOUBLE_EQ(plan.cost(frames), cost_of(cut, managers));
    // But for what is not clearly less.
    ASSERT_LE(plan.cost(frames) * HashPlan::clearly_less, best_of_all_cuts(frames, managers));
  }
}

TEST(HashPlan, CutsAtLeastCostForAnyLanes) {
  Dice dice;
  for (int round = 0; round < 300; ++round) {
    std::vector<Costs> managers;
    for (std::size_t m = 0; m <= dice.below(HashPlan::max_managers); ++m)
      managers.push_back(random_costs(dice));
    expect_best_cuts(managers);
  }
}

// Measured costs are never as even as counted ones, and need not even grow.
TEST(HashPlan, CutsAtLeastCostForAnyTables) {
  Dice dice;
  for (int round = 0; round < 300; ++round) {
    std::vector<Costs> managers(1 + dice.below(HashPlan::max_managers));
    for (Costs& costs : managers)
      for (double& cost : costs) cost = static_cast<double>(1 + dice.below(1000));
    expect_best_cuts(managers);
  }
}

TEST(HashPlan, DoesNotChooseByNoise) {
  Dice dice;
  const Costs even = lanes_of(2, 0, 100);
  for (int round = 0; round < 100; ++round) {
    std::vector<Costs> managers(HashPlan::max_managers, even);
    for (Costs& costs : managers)
      for (double& cost : costs) cost *= 1 + static_cast<double>(dice.below(1000)) / 1e5;
    const HashPlan plan{managers};
    for (std::size_t frames = 1; frames <= most; ++frames)
      ASSERT_EQ(plan.cut(frames)[0], frames) << "the first one's";
  }
}

TEST(HashPlan, ChoosesWhatIsClearlyLess) {
  const Costs some = lanes_of(1, 0, 100);
  const HashPlan a_little{std::array{some, lanes_of(1, 0, 99)}};
  const HashPlan clearly{std::array{some, lanes_of(1, 0, 97)}};
  for (std::size_t frames = 1; frames <= most; ++frames) {
    EXPECT_EQ(a_little.cut(frames)[0], frames);
    EXPECT_EQ(clearly.cut(frames)[1], frames);
  }
}

TEST(HashPlan, GivesFewFramesToTheFewLanesAndManyToTheMany) {
  // Like AVX-512 beside SHA-NI: sixteen for 8, two for 1.
  const HashPlan plan{std::array{lanes_of(16, 0, 8), lanes_of(2, 0, 1)}};
  EXPECT_EQ(plan.cut(1), (HashPlan::Cut{0, 1, 0}));
  EXPECT_EQ(plan.cut(8), (HashPlan::Cut{0, 8, 0}));
  EXPECT_DOUBLE_EQ(plan.cost(8), 4);
  EXPECT_EQ(plan.cut(14), (HashPlan::Cut{0, 14, 0}));
  EXPECT_DOUBLE_EQ(plan.cost(16), 8);
}

TEST(HashPlan, FillsTheLanesAndLeavesTheRestToOthers) {
  const HashPlan plan{std::array{lanes_of(8, 0, 3), lanes_of(1, 0, 1)}};
  EXPECT_EQ(plan.cut(2), (HashPlan::Cut{0, 2, 0}));
  EXPECT_EQ(plan.cut(8), (HashPlan::Cut{8, 0, 0}));
  EXPECT_EQ(plan.cut(10), (HashPlan::Cut{8, 2, 0}));
  EXPECT_DOUBLE_EQ(plan.cost(10), 5);
  EXPECT_EQ(plan.cut(16), (HashPlan::Cut{16, 0, 0}));
}

// Costs are measured of as many frames as the widest manager has lanes.
TEST(HashPlan, CutsLargerBatchesIntoFullLanesAndARest) {
  Dice dice;
  for (int round = 0; round < 100; ++round) {
    const HashPlan plan{std::array{random_costs(dice), random_costs(dice), random_costs(dice)}};
    for (std::size_t frames = most + 1; frames <= FrameEngine::max_batch; ++frames) {
      const std::size_t lanes = frames / most;
      const std::size_t rest = frames % most;
      ASSERT_EQ(frames_in(plan.cut(frames)), frames);
      ASSERT_DOUBLE_EQ(plan.cost(frames),
                       static_cast<double>(lanes) * plan.cost(most) + plan.cost(rest));
      for (std::size_t m = 0; m < HashPlan::max_managers; ++m)
        ASSERT_EQ(plan.cut(frames)[m], lanes * plan.cut(most)[m] + plan.cut(rest)[m]);
    }
  }
}

TEST(HashPlan, ATieIsTheFirstManagers) {
  const Costs even = lanes_of(1, 0, 1);
  const HashPlan plan{std::array{even, even, even}};
  for (std::size_t frames = 1; frames <= most; ++frames)
    EXPECT_EQ(plan.cut(frames), (HashPlan::Cut{static_cast<std::uint8_t>(frames), 0, 0}));
}

TEST(HashPlan, OfOneManagerGivesItAll) {
  const HashPlan plan{std::array<Costs, 1>{lanes_of(4, 2, 5)}};
  for (std::size_t frames = 1; frames <= most; ++frames)
    EXPECT_EQ(plan.cut(frames), (HashPlan::Cut{static_cast<std::uint8_t>(frames), 0, 0}));
}

TEST(HashPlan, OfNothingIsNothing) {
  EXPECT_EQ(HashPlan{}.cut(0), HashPlan::Cut{});
  EXPECT_EQ((HashPlan{std::array<Costs, 1>{lanes_of(2, 0, 1)}}.cut(0)), HashPlan::Cut{});
}

TEST(HashPlan, TakesOneToThreeManagers) {
  const Costs costs = lanes_of(1, 0, 1);
  EXPECT_DEATH(HashPlan{std::span<const Costs>{}}, "tables of costs");
  const std::array too_many{costs, costs, costs, costs};
  EXPECT_DEATH(HashPlan{too_many}, "tables of costs");
}

}  // namespace
}  // namespace penstock
