#include "penstock/keys/secret.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace penstock {
namespace {

struct TestPurpose;
struct OtherPurpose;
using TestKey = Secret<32, TestPurpose>;
using OtherKey = Secret<32, OtherPurpose>;

// What a secret must not be able to do is checked when this file compiles.
static_assert(!std::copyable<TestKey> && !std::copyable<SecretBuffer>);
static_assert(!std::copyable<SecretBox<int>>);
static_assert(std::movable<TestKey> && std::movable<SecretBuffer> && std::movable<SecretBox<int>>);
static_assert(!std::convertible_to<TestKey, OtherKey> &&
              !std::constructible_from<TestKey, OtherKey>);
static_assert(!std::equality_comparable<TestKey>);
template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Printable<TestKey> && !Printable<SecretBuffer>);

constexpr std::byte pattern{0xa5};

// A released block begins with a link of the free list; what is behind it is zero.
void expect_wiped(const std::byte* at, std::size_t size) {
  const Bytes link{at, sizeof(void*)};
  EXPECT_FALSE(std::ranges::all_of(link, [](std::byte b) { return b == pattern; }));
  for (std::size_t i = link.size(); i < size; ++i) EXPECT_EQ(at[i], std::byte{0}) << "byte " << i;
}

TEST(Secret, IsWipedWhenItDies) {
  const std::byte* at = nullptr;
  {
    TestKey key;
    std::ranges::fill(key.fill(), pattern);
    at = key.reveal().data();
    ASSERT_EQ(at[31], pattern);
  }
  expect_wiped(at, 32);
}

TEST(Secret, TheValueAssignedOverIsWiped) {
  TestKey kept;
  std::ranges::fill(kept.fill(), pattern);
  const std::byte* const old = kept.reveal().data();
  kept = TestKey{};
  expect_wiped(old, 32);
  EXPECT_TRUE(std::ranges::all_of(kept.reveal(), [](std::byte b) { return b == std::byte{0}; }));
}

TEST(Secret, MovingTakesTheBytesAlongAndLeavesNothingToWipeTwice) {
  const std::size_t before = secret_memory::usage().bytes_in_use;
  {
    TestKey from;
    std::ranges::fill(from.fill(), pattern);
    const std::byte* const at = from.reveal().data();
    const TestKey to{std::move(from)};
    EXPECT_EQ(to.reveal().data(), at);
    EXPECT_EQ(to.reveal()[0], pattern);
    EXPECT_EQ(secret_memory::usage().bytes_in_use, before + 32);
  }
  EXPECT_EQ(secret_memory::usage().bytes_in_use, before);
}

TEST(Secret, StartsAsZerosEvenInReusedMemory) {
  for (int round = 0; round < 3; ++round) {
    TestKey key;
    ASSERT_TRUE(std::ranges::all_of(key.reveal(), [](std::byte b) { return b == std::byte{0}; }));
    std::ranges::fill(key.fill(), pattern);
  }
}

TEST(SecretBox, HoldsOneValueAndWipesIt) {
  struct Keys {
    std::array<std::uint64_t, 8> words{};
    std::uint32_t count = 7;
  };
  const std::byte* at = nullptr;
  {
    SecretBox<Keys> box;
    EXPECT_EQ(box->count, 7u);
    box->words.fill(0xa5a5a5a5a5a5a5a5);
    SecretBox<Keys> moved{std::move(box)};
    EXPECT_EQ((*moved).words[7], 0xa5a5a5a5a5a5a5a5);
    at = reinterpret_cast<const std::byte*>(&*moved);
  }
  expect_wiped(at, sizeof(Keys));
}

TEST(SecretBuffer, IsWipedAndEmptyAfterItMoved) {
  const std::byte* at = nullptr;
  {
    SecretBuffer from{100};
    std::ranges::fill(from.fill(), pattern);
    at = from.reveal().data();
    const SecretBuffer to{std::move(from)};
    EXPECT_TRUE(from.reveal().empty());  // NOLINT(bugprone-use-after-move): what is tested
    EXPECT_EQ(to.reveal().size(), 100u);
  }
  expect_wiped(at, 100);
}

TEST(Wipe, LeavesNeighboursAlone) {
  std::array<std::byte, 48> bytes{};
  bytes.fill(pattern);
  wipe(MutableBytes{bytes}.subspan(16, 16));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(bytes[i], i / 16 == 1 ? std::byte{0} : pattern);
  wipe({});
}

// Of every length that a tag has and some more, wherever it lies.
TEST(EqualConstantTime, SeesEverySingleBitAndNothingAround) {
  for (std::size_t size = 1; size <= 49; ++size)
    for (const std::size_t offset : {std::size_t{0}, size % 8}) {
      std::vector<std::byte> around(64, pattern);
      const std::vector<std::byte> other(64, ~pattern);
      const auto a = MutableBytes{around}.subspan(offset, size);
      std::vector<std::byte> b = other;
      std::ranges::copy(a, &b[1]);
      EXPECT_TRUE(equal_constant_time(a, Bytes{b}.subspan(1, size)));
      for (std::size_t bit = 0; bit < size * 8; ++bit) {
        a[bit / 8] ^= std::byte{1} << (bit % 8);
        EXPECT_FALSE(equal_constant_time(a, Bytes{b}.subspan(1, size)))
            << "bit " << bit << " of " << size << " bytes";
        a[bit / 8] ^= std::byte{1} << (bit % 8);
      }
    }
}

TEST(EqualConstantTime, DifferentLengthsDiffer) {
  const std::vector<std::byte> a(16, pattern);
  EXPECT_FALSE(equal_constant_time(a, Bytes{a}.first(15)));
  EXPECT_FALSE(equal_constant_time(a, {}));
  EXPECT_TRUE(equal_constant_time({}, {}));
}

}  // namespace
}  // namespace penstock
