#include "controlplane/session/slot_allocator.hpp"

#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/seeded_entropy.hpp"

namespace penstock::controlplane {
namespace {

class Slots : public testing::Test {
 protected:
  SeededEntropy entropy{1};
  SlotAllocator slots{entropy};
};

TEST_F(Slots, AreAllDifferentAndNeverSpiZero) {
  std::vector<SlotLease> leases;
  std::set<std::uint32_t> seen;
  while (auto lease = slots.take()) {
    EXPECT_NE(lease->base().value, 0u);
    EXPECT_EQ(lease->base().lane(), 0u);
    EXPECT_TRUE(seen.insert(lease->base().slot()).second);
    leases.push_back(std::move(*lease));
  }
  EXPECT_EQ(seen.size(), limits::max_sessions);
  leases.erase(leases.begin() + 7);
  EXPECT_TRUE(slots.take().has_value());
}

TEST_F(Slots, OfLivingSessionsAreAvoided) {
  const SlotLease living = slots.adopt(Spi::make(5, 1, 0));
  EXPECT_EQ(living.base(), Spi::make(5, 1, 0));
  const auto first = slots.take();
  const auto second = slots.take();
  EXPECT_EQ(first->base().slot(), 0u);
  EXPECT_EQ(second->base().slot(), 2u);
}

TEST_F(Slots, ComeBackLastWithAnotherGeneration) {
  std::set<std::uint32_t> bases;
  for (unsigned i = 0; i < 2 * limits::max_sessions; ++i) bases.insert(slots.take()->base().value);
  EXPECT_GT(bases.size(), 2 * limits::max_sessions - 20);
}

}  // namespace
}  // namespace penstock::controlplane
