#include "penstock/link/replay_window.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace penstock {
namespace {

constexpr std::uint64_t window = limits::replay_window;

ReplayVerdict admit(ReplayWindow& replay, std::uint64_t number) {
  const ReplayVerdict looked = replay.look({number});
  const ReplayVerdict admitted = replay.admit({number});
  EXPECT_EQ(looked, admitted) << number;
  return admitted;
}

TEST(ReplayWindow, StartsAtZero) {
  ReplayWindow replay;
  EXPECT_EQ(replay.next(), 0u);
  EXPECT_EQ(admit(replay, 0), ReplayVerdict::fresh);
  EXPECT_EQ(replay.next(), 1u);
  EXPECT_EQ(admit(replay, 0), ReplayVerdict::replayed);
}

TEST(ReplayWindow, TwoCopiesInOneBatchAreOneFrameAndOneReplay) {
  ReplayWindow replay;
  // Both copies are looked at before either is admitted, as in a batch.
  EXPECT_EQ(replay.look({7}), ReplayVerdict::fresh);
  EXPECT_EQ(replay.look({7}), ReplayVerdict::fresh);
  EXPECT_EQ(replay.admit({7}), ReplayVerdict::fresh);
  EXPECT_EQ(replay.admit({7}), ReplayVerdict::replayed);
}

TEST(ReplayWindow, LookChangesNothing) {
  ReplayWindow replay;
  EXPECT_EQ(replay.look({1'000'000}), ReplayVerdict::fresh);
  EXPECT_EQ(replay.next(), 0u);
  EXPECT_EQ(admit(replay, 0), ReplayVerdict::fresh);
  EXPECT_EQ(replay.look({1}), ReplayVerdict::fresh);
  EXPECT_EQ(replay.look({1}), ReplayVerdict::fresh);
}

TEST(ReplayWindow, EdgeOfTheWindowIsExact) {
  for (std::uint64_t top = window; top < window + 3 * 64; ++top) {
    ReplayWindow replay;
    ASSERT_EQ(admit(replay, top), ReplayVerdict::fresh);
    EXPECT_EQ(admit(replay, top - window), ReplayVerdict::too_old) << top;
    EXPECT_EQ(admit(replay, top - window + 1), ReplayVerdict::fresh) << top;
    EXPECT_EQ(admit(replay, top - window + 1), ReplayVerdict::replayed) << top;
  }
}

TEST(ReplayWindow, NothingIsTooOldBeforeTheWindowIsFull) {
  ReplayWindow replay;
  ASSERT_EQ(admit(replay, window - 1), ReplayVerdict::fresh);
  for (std::uint64_t number = 0; number < window - 1; ++number) {
    ASSERT_EQ(admit(replay, number), ReplayVerdict::fresh) << number;
  }
  for (std::uint64_t number = 0; number < window; ++number) {
    ASSERT_EQ(admit(replay, number), ReplayVerdict::replayed) << number;
  }
}

TEST(ReplayWindow, EveryNumberIsFreshOnceInAnyOrderWithinTheWindow) {
  ReplayWindow replay;
  for (std::uint64_t base = 0; base < 4 * window; base += window) {
    for (std::uint64_t step = 0; step < window; ++step) {
      const std::uint64_t number = base + (step * 1237) % window;  // 1237 is odd: a permutation
      ASSERT_EQ(admit(replay, number), ReplayVerdict::fresh) << number;
    }
  }
  EXPECT_EQ(replay.next(), 4 * window);
}

TEST(ReplayWindow, JumpsOfEverySizeForgetExactlyWhatIsLeftOfTheWindow) {
  for (const std::uint64_t jump :
       {std::uint64_t{1}, std::uint64_t{63}, std::uint64_t{64}, std::uint64_t{65}, window - 64,
        window - 1, window, window + 1, 2 * window - 65, 2 * window - 64, 2 * window - 1,
        2 * window, 2 * window + 1, 100 * window + 17, std::uint64_t{1} << 40}) {
    ReplayWindow replay;
    for (std::uint64_t number = 0; number < 200; ++number) (void)replay.admit({number});
    const std::uint64_t top = 199 + jump;
    ASSERT_EQ(admit(replay, top), ReplayVerdict::fresh) << jump;
    for (std::uint64_t back = 1; back < 2 * window + 300 && back <= top; ++back) {
      const std::uint64_t number = top - back;
      const auto expected = back >= window ? ReplayVerdict::too_old
                            : number < 200 ? ReplayVerdict::replayed
                                           : ReplayVerdict::fresh;
      ASSERT_EQ(replay.look({number}), expected) << jump << " " << number;
    }
  }
}

TEST(ReplayWindow, EndOfTheNumbersDoesNotWrap) {
  ReplayWindow replay;
  constexpr std::uint64_t end = last_sequence.value;
  EXPECT_EQ(admit(replay, end), ReplayVerdict::too_old);
  EXPECT_EQ(admit(replay, end - 1), ReplayVerdict::fresh);
  EXPECT_EQ(replay.next(), end);
  EXPECT_EQ(admit(replay, end - 1), ReplayVerdict::replayed);
  EXPECT_EQ(admit(replay, end), ReplayVerdict::too_old);
  EXPECT_EQ(admit(replay, end - window), ReplayVerdict::fresh);
  EXPECT_EQ(admit(replay, end - window - 1), ReplayVerdict::too_old);
  EXPECT_EQ(admit(replay, 0), ReplayVerdict::too_old);
}

TEST(ReplayWindow, AgreesWithASetOnRandomWalks) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    ReplayWindow replay;
    std::set<std::uint64_t> seen;
    std::uint64_t next = 0;
    for (unsigned step = 0; step < 20'000; ++step) {
      const std::uint64_t reach = random() % 50 == 0 ? 3 * window : 150;
      const std::uint64_t low = next > reach ? next - reach : 0;
      const std::uint64_t number = low + random() % (2 * reach);
      const auto expected = number + window < next  ? ReplayVerdict::too_old
                            : seen.contains(number) ? ReplayVerdict::replayed
                                                    : ReplayVerdict::fresh;
      ASSERT_EQ(admit(replay, number), expected) << number;
      seen.insert(number);
      next = std::max(next, number + 1);
      ASSERT_EQ(replay.next(), next);
    }
  }
}

}  // namespace
}  // namespace penstock
