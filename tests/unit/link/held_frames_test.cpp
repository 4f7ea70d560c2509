#include "penstock/link/held_frames.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <new>
#include <utility>

#include <gtest/gtest.h>

namespace penstock {
namespace {

constexpr std::uint64_t window = HeldFrames::window;

TEST(HeldFrames, StartsEmpty) {
  HeldBudget budget{.limit = 10};
  const HeldFrames held(budget);
  EXPECT_TRUE(held.is_empty());
  EXPECT_EQ(held.first(0), last_sequence.value);
  EXPECT_EQ(held.last_arrived_by(~std::uint64_t{0}, 5), 5u);
}

TEST(HeldFrames, GivesBackWhatWasPut) {
  HeldBudget budget{.limit = 10};
  HeldFrames held(budget);
  int frame = 0;
  const std::byte bytes[3] = {};
  held.put(77, {.plaintext = bytes, .frame = &frame, .arrived = 5});
  EXPECT_TRUE(held.has(77));
  EXPECT_FALSE(held.has(76));
  EXPECT_EQ(budget.held, 1u);
  const HeldFrame taken = held.take(77);
  EXPECT_EQ(taken.frame, &frame);
  EXPECT_EQ(taken.plaintext.data(), bytes);
  EXPECT_EQ(taken.plaintext.size(), 3u);
  EXPECT_EQ(taken.arrived, 5u);
  EXPECT_FALSE(held.has(77));
  EXPECT_TRUE(held.is_empty());
  EXPECT_EQ(budget.held, 0u);
}

TEST(HeldFrames, FindsTheFirstFromEveryPlaceToEveryPlace) {
  HeldBudget budget{.limit = 10};
  HeldFrames held(budget);
  constexpr std::uint64_t end = last_sequence.value;
  for (const std::uint64_t base : {std::uint64_t{0}, std::uint64_t{1} << 40, end - 2 * window}) {
    for (std::uint64_t from = base; from < base + window; ++from) {
      for (std::uint64_t number = from; number < from + window; ++number) {
        const std::uint64_t other = from + window - 1;
        held.put(number, {});
        ASSERT_EQ(held.first(from), number) << from;
        if (other == number) {
          (void)held.take(number);
          continue;
        }
        held.put(other, {});
        ASSERT_EQ(held.first(from), number) << from;
        (void)held.take(number);
        ASSERT_EQ(held.first(from), other) << from;
        (void)held.take(other);
      }
    }
  }
}

TEST(HeldFrames, KnowsWhoCameFirstAndWhoCameByWhen) {
  HeldBudget budget{.limit = 10};
  HeldFrames held(budget);
  constexpr std::uint64_t from = 1000;  // not a multiple of the window
  held.put(from + 3, {.arrived = 30});
  held.put(from + 120, {.arrived = 10});
  held.put(from + 60, {.arrived = 20});
  EXPECT_EQ(held.earliest_arrival(), 10u);
  EXPECT_EQ(held.last_arrived_by(9, from), from);
  EXPECT_EQ(held.last_arrived_by(10, from), from + 120);
  (void)held.take(from + 120);
  EXPECT_EQ(held.earliest_arrival(), 20u);
  EXPECT_EQ(held.last_arrived_by(20, from), from + 60);
  EXPECT_EQ(held.last_arrived_by(30, from), from + 60);
}

TEST(HeldFrames, GivesTheBudgetBackWhenItDies) {
  HeldBudget budget{.limit = 10};
  {
    HeldFrames held(budget);
    held.put(1, {});
    held.put(64, {});
    EXPECT_EQ(budget.held, 2u);
  }
  EXPECT_EQ(budget.held, 0u);
}

// Another thread may free it, while the budget's own writes there.
TEST(HeldFrames, AnEmptyOneLeavesTheBudgetAlone) {
  const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const page =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  auto* const budget = new (page) HeldBudget{.limit = 10};
  {
    HeldFrames held(*budget);
    held.put(1, {});
    (void)held.take(1);
    ASSERT_EQ(mprotect(page, size, PROT_READ), 0);  // a write would be the end of this test
  }
  EXPECT_EQ(budget->held, 0u);
  munmap(page, size);
}

TEST(HeldFrames, BudgetMovesAlongOnce) {
  HeldBudget budget{.limit = 2};
  {
    HeldFrames held(budget);
    held.put(1, {.arrived = 7});
    HeldFrames moved(std::move(held));
    EXPECT_TRUE(moved.has(1));
    EXPECT_EQ(budget.held, 1u);
    HeldFrames assigned(budget);
    assigned.put(5, {});
    EXPECT_TRUE(assigned.is_budget_spent());
    assigned = std::move(moved);
    EXPECT_EQ(budget.held, 1u);
    EXPECT_FALSE(assigned.is_budget_spent());
    EXPECT_EQ(assigned.take(1).arrived, 7u);
  }
  EXPECT_EQ(budget.held, 0u);
}

}  // namespace
}  // namespace penstock
