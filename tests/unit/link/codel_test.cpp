#include "penstock/link/codel.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;

constexpr CodelSettings usual{};
constexpr std::size_t much = 100'000;

// A packet leaves every millisecond; when was one of them acted upon?
std::vector<Time> acts(Codel& codel, Time from, Time until, Time waited,
                       std::size_t behind = much) {
  std::vector<Time> found;
  for (Time now = from; now < until; now += 1ms)
    if (codel.judge(waited, behind, now, usual) == Codel::Verdict::act) found.push_back(now);
  return found;
}

TEST(Codel, LeavesAShortWaitAlone) {
  Codel codel;
  EXPECT_TRUE(acts(codel, 1s, 11s, usual.target - 1ns).empty());
}

TEST(Codel, LeavesAlmostEmptyQueuesAlone) {
  Codel codel;
  EXPECT_TRUE(acts(codel, 1s, 11s, 1s, Codel::one_packet).empty());
}

// RFC 8289, section 3.3: after one interval, then at intervals / sqrt(count).
TEST(Codel, FollowsTheControlLaw) {
  Codel codel;
  const std::vector<Time> found = acts(codel, 1s, 1500ms, 20ms);
  const std::vector<Time> expected = {1100ms, 1200ms, 1271ms, 1329ms, 1379ms, 1424ms, 1464ms};
  EXPECT_EQ(found, expected);
}

TEST(Codel, OneShortWaitStartsTheIntervalAnew) {
  Codel codel;
  EXPECT_TRUE(acts(codel, 1s, 1099ms, 20ms).empty());
  EXPECT_EQ(codel.judge(1ms, much, 1099ms, usual), Codel::Verdict::pass);
  EXPECT_TRUE(acts(codel, 1100ms, 1199ms, 20ms).empty());
  EXPECT_EQ(acts(codel, 1200ms, 1201ms, 20ms).size(), 1u);
}

TEST(Codel, ComesBackNearTheRateThatWasNeeded) {
  Codel codel;
  const auto first = acts(codel, 1s, 3s, 20ms);
  EXPECT_EQ(codel.judge(1ms, much, 3s, usual), Codel::Verdict::pass);
  const auto soon = acts(codel, 3001ms, 4s, 20ms);
  EXPECT_GT(soon.size(), first.size() / 2 + 10);

  Codel fresh;
  (void)acts(fresh, 1s, 3s, 20ms);
  EXPECT_EQ(fresh.judge(1ms, much, 3s, usual), Codel::Verdict::pass);
  const auto late = acts(fresh, 10s, 11s, 20ms);
  Codel never_acted;
  EXPECT_EQ(late.size(), acts(never_acted, 10s, 11s, 20ms).size());
}

TEST(Codel, ActsOnARowWhenItIsBehind) {
  Codel codel;
  (void)acts(codel, 1s, 1101ms, 20ms);
  // Nothing left for long: what is due by now is done at once, packet after packet.
  unsigned row = 0;
  while (codel.judge(20ms, much, 1400ms, usual) == Codel::Verdict::act) ++row;
  EXPECT_EQ(row, 4u);  // of 1200, 1271, 1329, 1379
}

TEST(Codel, SlowLinksMayWaitLonger) {
  EXPECT_EQ(codel_for(10us, 1436), usual);
  // Two frames a packet, 20 ms each.
  const CodelSettings slow = codel_for(20ms, 1436);
  EXPECT_EQ(slow.target, 60ms);
  EXPECT_EQ(slow.interval, 120ms);
  EXPECT_EQ(codel_for(1s, 1518).target, 1500ms);
  EXPECT_EQ(codel_for(1s, 1518).interval, 3s);
}

}  // namespace
}  // namespace penstock
