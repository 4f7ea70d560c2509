// Gaps of many SAs: each is given up at its own time, and what they hold back together is bounded.
#include <deque>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/forger.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::Forger;
using test::make_packet;
using test::TestSite;

constexpr std::uint64_t window = limits::reorder_window;

class GapsTest : public testing::Test {
 protected:
  // A session of a link of its own, of which frame 0 has come.
  std::size_t add() {
    const auto index = forgers.size();
    ipc::InstallSession session = test::make_session(static_cast<std::uint32_t>(index + 1));
    session.link = static_cast<std::uint16_t>(index);
    records.push_back(&site.install(session, now));
    site.worker->turn(now);
    forgers.emplace_back(site, session);
    send(index, 0);
    return index;
  }
  void send(std::size_t session, std::uint64_t number) {
    forgers[session].send(forgers[session].frame(number, {{BlockKind::ethernet, make_packet(60)}}));
    site.worker->turn(now);
  }
  // Frames that reassembly keeps of the session's lane, from `first` on, all behind a gap.
  void fill_window(std::size_t session, std::uint64_t first) {
    for (std::uint64_t number = first; number < first + window - 1; ++number) send(session, number);
  }
  [[nodiscard]] std::size_t delivered() const { return site.plain.sent.size(); }
  [[nodiscard]] std::uint64_t held() { return site.count()[Gauge::held_frames]; }
  void remove(std::size_t session, Command::Kind kind = Command::Kind::remove) {
    site.command({.kind = kind, .session = records[session]->shares[0].get()});
    site.worker->turn(now);
  }

  Time now = 1000s;
  TestSite site{0};
  std::deque<Forger> forgers;
  std::deque<SessionRecord*> records;
};

TEST_F(GapsTest, EachIsGivenUpAtItsOwnTime) {
  for (int i = 0; i < 3; ++i) add();
  ASSERT_EQ(delivered(), 3u);
  const Time began = now;
  for (std::size_t session = 0; session < 3; ++session) {
    now = began + (3 - session) * 100us;  // the last session has the oldest gap
    if (session == 0) now = began;
    send(session, 2);
  }
  EXPECT_EQ(delivered(), 3u);
  // Due: session 0 at 0, 2 at 100, 1 at 200 us, and the wait.
  EXPECT_EQ(site.worker->deadline(), began + limits::reorder_wait);
  now = began + limits::reorder_wait;
  site.worker->turn(now);
  EXPECT_EQ(delivered(), 4u);
  EXPECT_EQ(site.worker->deadline(), began + 100us + limits::reorder_wait);
  now = began + 150us + limits::reorder_wait;
  site.worker->turn(now);
  EXPECT_EQ(delivered(), 5u);
  EXPECT_EQ(site.worker->deadline(), began + 200us + limits::reorder_wait);
  now = began + 200us + limits::reorder_wait;
  site.worker->turn(now);
  EXPECT_EQ(delivered(), 6u);
  EXPECT_EQ(held(), 0u);
}

TEST_F(GapsTest, AFilledGapIsDueNoMore) {
  add();
  add();
  send(0, 2);
  const Time first = now + limits::reorder_wait;
  now += 500us;
  send(1, 2);
  const Time second = now + limits::reorder_wait;
  EXPECT_EQ(site.worker->deadline(), first);
  send(0, 1);
  EXPECT_EQ(delivered(), 4u);
  EXPECT_EQ(site.worker->deadline(), second);
  send(1, 1);
  EXPECT_EQ(delivered(), 6u);
  EXPECT_GT(site.worker->deadline(), second);
}

TEST_F(GapsTest, AGapThatMovesOnIsDueAgain) {
  add();
  send(0, 2);
  const Time began = now;
  now += 1ms;
  send(0, 4);
  now = began + limits::reorder_wait;
  site.worker->turn(now);
  EXPECT_EQ(delivered(), 2u);  // 0 and 2
  EXPECT_EQ(site.worker->deadline(), began + 1ms + limits::reorder_wait);
  now = began + 1ms + limits::reorder_wait;
  site.worker->turn(now);
  EXPECT_EQ(delivered(), 3u);
  EXPECT_EQ(held(), 0u);
}

TEST_F(GapsTest, ASessionThatGoesTakesItsGapAlong) {
  add();
  add();
  for (std::size_t session = 0; session < 2; ++session) send(session, 2);
  remove(0);
  EXPECT_EQ(delivered(), 3u);  // what was held is delivered
  remove(1, Command::Kind::zeroize);
  EXPECT_EQ(delivered(), 3u);
  EXPECT_EQ(held(), 0u);
  const Time due = now + limits::reorder_wait;
  EXPECT_GT(site.worker->deadline(), due);
  for (SessionRecord* record : records) site.directory->erase(*record);
  now = due;
  site.worker->turn(now);
  EXPECT_EQ(unbalanced_book(site.count()), "");
}

// --- what they hold back together --------------------------------------------------------

// The pool's quarter: more than any one SA can take.
TEST_F(GapsTest, OneSaCannotStarveAnother) {
  add();
  add();
  fill_window(0, 2);
  EXPECT_EQ(held(), window - 1);
  send(0, 2 * window);  // gives its oldest up, and keeps to its window
  EXPECT_LE(held(), window - 1);
  const std::size_t before = delivered();
  send(1, 2);
  EXPECT_EQ(delivered(), before);
  send(1, 1);
  EXPECT_EQ(delivered(), before + 2);
}

TEST_F(GapsTest, ASpentBudgetIsFreeAgainAfterTheWait) {
  const std::uint32_t limit = site.worker->held().limit;
  const std::size_t greedy = limit / (window - 1) + 1;
  for (std::size_t i = 0; i <= greedy; ++i) add();
  for (std::size_t session = 0; session + 1 < greedy; ++session) fill_window(session, 2);
  for (std::uint64_t number = 2; held() < limit; number += 2) send(greedy - 1, number);
  // Meanwhile nothing waits for what is missing of another, and nothing is lost that came.
  const std::size_t before = delivered();
  send(greedy, 2);
  EXPECT_EQ(delivered(), before + 1);
  now += limits::reorder_wait;
  site.worker->turn(now);
  EXPECT_EQ(held(), 0u);
  const std::size_t later = delivered();
  send(greedy, 4);
  send(greedy, 3);
  EXPECT_EQ(delivered(), later + 2);
  EXPECT_EQ(site.count()[DropReason::late_frame], 0u);
  EXPECT_EQ(unbalanced_book(site.count()), "");
}

}  // namespace
}  // namespace penstock::dataplane
