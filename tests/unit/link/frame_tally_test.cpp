#include "penstock/link/frame_tally.hpp"

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;

struct Receiver {
  ReplayWindow window;
  FrameTally tally;
  Time now = 1s;

  void admit(std::uint64_t number, bool is_marked = false) {
    const std::uint64_t before = window.next();
    ASSERT_EQ(window.admit({number}), ReplayVerdict::fresh) << number;
    tally.admit(window, before, is_marked, now);
    now += 1ms;
  }
  void admit_all(std::uint64_t from, std::uint64_t to) {
    for (; from < to; ++from) admit(from);
  }
};

TEST(FrameTally, OrderedFramesAreNoEvent) {
  Receiver r;
  r.admit_all(0, 10'000);
  EXPECT_EQ(r.tally.admitted(), 10'000u);
  EXPECT_EQ(r.tally.events(), 0u);
  EXPECT_EQ(r.tally.marked(), 0u);
}

TEST(FrameTally, ReorderingByAFewFramesIsNoEvent) {
  Receiver r;
  r.admit_all(0, 100);
  for (std::uint64_t block = 100; block < 1000; block += FrameTally::reorder)
    for (std::uint64_t i = FrameTally::reorder; i-- > 0;) r.admit(block + i);
  EXPECT_EQ(r.tally.events(), 0u);
}

TEST(FrameTally, AMissingFrameIsAnEventOnceEnoughLaterOnesCame) {
  Receiver r;
  r.admit_all(0, 100);
  r.admit_all(101, 100 + FrameTally::reorder);
  EXPECT_EQ(r.tally.events(), 0u);
  r.admit(100 + FrameTally::reorder);
  EXPECT_EQ(r.tally.events(), 1u);
  r.admit(100);  // too late to be none
  EXPECT_EQ(r.tally.events(), 1u);
  EXPECT_EQ(r.tally.admitted(), r.window.next());
}

TEST(FrameTally, TheVeryFirstFrameCanBeLost) {
  Receiver r;
  r.admit_all(1, 2 + FrameTally::reorder);
  EXPECT_EQ(r.tally.events(), 1u);
}

TEST(FrameTally, LossesWithinARoundTripAreOneEvent) {
  Receiver r;
  r.tally.set_round_trip(50ms);
  r.admit_all(0, 100);
  // Every other frame, for 40 ms: one event. Then one each 51 ms at most.
  for (std::uint64_t n = 100; n < 140; n += 2) r.admit(n + 1);
  EXPECT_EQ(r.tally.events(), 1u);
  const std::uint64_t before = r.tally.events();
  for (std::uint64_t n = 140; n < 2140; n += 2) r.admit(n + 1);
  EXPECT_GE(r.tally.events() - before, 1000u / 51 - 1);
  EXPECT_LE(r.tally.events() - before, 1000u / 50 + 1);
}

TEST(FrameTally, AJumpOverManyIsOneEventAtOnce) {
  Receiver r;
  r.admit(0);
  r.admit(std::uint64_t{1} << 60);
  EXPECT_EQ(r.tally.events(), 1u);
  EXPECT_EQ(r.tally.admitted(), 2u);
}

TEST(FrameTally, AMarkIsAnEvent) {
  Receiver r;
  r.tally.set_round_trip(10ms);
  r.admit_all(0, 20);
  r.admit(20, true);
  r.admit(21, true);
  EXPECT_EQ(r.tally.events(), 1u);
  EXPECT_EQ(r.tally.marked(), 2u);
  r.now += 20ms;
  r.admit(22, true);
  EXPECT_EQ(r.tally.events(), 2u);
}

}  // namespace
}  // namespace penstock
