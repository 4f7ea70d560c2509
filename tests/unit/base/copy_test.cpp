#include "penstock/base/copy.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace penstock {
namespace {

constexpr std::byte untouched{0xee};

// Every length around whole lines, from and to any place in one; each in a vector of just its
// length, so that a sanitizer sees a read beyond it.
TEST(Copy, copies_every_length_to_every_place_and_nothing_beside_it) {
  for (std::size_t size = 0; size < 300; ++size)
    for (const std::size_t place : {0, 1, 24, 63}) {
      std::vector<std::byte> from(size);
      for (std::size_t i = 0; i < size; ++i) from[i] = static_cast<std::byte>(i * 7 + size);
      std::vector<std::byte> to(place + size + 64, untouched);
      std::byte* const end = copy_bytes(to.data() + place, from);
      ASSERT_EQ(end, to.data() + place + size);
      ASSERT_TRUE(std::ranges::equal(Bytes{to}.subspan(place, size), from)) << size;
      const auto is_untouched = [](std::byte byte) { return byte == untouched; };
      ASSERT_TRUE(std::ranges::all_of(Bytes{to}.first(place), is_untouched)) << size;
      ASSERT_TRUE(std::ranges::all_of(Bytes{to}.subspan(place + size), is_untouched)) << size;
    }
}

TEST(Copy, copies_a_whole_jumbo_packet) {
  std::vector<std::byte> from(9018);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i * 31);
  std::vector<std::byte> to(from.size());
  EXPECT_EQ(copy_bytes(to.data(), from), to.data() + to.size());
  EXPECT_EQ(to, from);
}

}  // namespace
}  // namespace penstock
