#include "dataplane/session/ring.hpp"

#include <gtest/gtest.h>

namespace penstock::dataplane {
namespace {

TEST(Ring, KeepsOrderAndSaysWhenItIsFull) {
  Ring<std::uint64_t, 8> ring{"test"};
  EXPECT_TRUE(ring.empty());
  EXPECT_FALSE(ring.pop());
  for (std::uint64_t i = 0; i < 7; ++i) EXPECT_TRUE(ring.push(i));
  EXPECT_FALSE(ring.push(7));
  for (std::uint64_t i = 0; i < 7; ++i) EXPECT_EQ(ring.pop(), i);
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace penstock::dataplane
