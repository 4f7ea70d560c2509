// Lanes of the far side that do not arrive while others do: found, told once, and over once heard.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/many.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using ipc::EventKind;
using test::make_session;
using test::ManyPair;

struct Sides {
  unsigned a;
  unsigned b;
};

constexpr Time dead_after = 10s;
// So long the watch may take beyond what it has to wait for: the far side's keepalive, the worker's
// look and its own.
constexpr Time delay = 2 * limits::keepalive + 1s;

class SilentLanes : public testing::TestWithParam<Sides> {
 protected:
  SilentLanes() : pair(GetParam().a, GetParam().b) {}

  static ipc::InstallSession session(std::uint32_t number = 1) {
    ipc::InstallSession session = make_session(number);
    session.dead_after_ns = static_cast<std::uint64_t>(dead_after.count());
    return session;
  }
  void connect() {
    pair.connect(session());
    pair.run(5s, 10ms);
    static_cast<void>(pair.a.events());
  }
  void drop(unsigned lane) {
    pair.b_passes = [=](unsigned of) { return of != lane; };
  }
  // Of B's frames, as A tells them, in order.
  std::vector<LaneSet> turns() {
    std::vector<LaneSet> turns;
    for (const ipc::Event& event : pair.a.events())
      if (event.kind == EventKind::lanes_turned) {
        EXPECT_EQ(event.detail, pair.b.workers());
        EXPECT_EQ(event.session_id, pair.a.session().info.session_id);
        turns.push_back(event.silent_lanes);
      }
    return turns;
  }
  [[nodiscard]] LaneSet told() const { return describe(pair.a.session(), pair.now).silent_lanes; }

  ManyPair pair;
  const unsigned last = GetParam().b - 1;
  const std::vector<LaneSet> gone{LaneSet{1} << last};
  const std::vector<LaneSet> none{0};
};

INSTANTIATE_TEST_SUITE_P(DataPlane, SilentLanes,
                         testing::Values(Sides{1, 2}, Sides{2, 2}, Sides{2, 3}, Sides{3, 2}),
                         [](const auto& test) {
                           return std::to_string(test.param.a) + "And" +
                                  std::to_string(test.param.b);
                         });

TEST_P(SilentLanes, IdleLanesAreNone) {
  connect();
  pair.run(2min, 10ms);
  EXPECT_TRUE(turns().empty());
}

TEST_P(SilentLanes, AreToldWhenTheyAreAndWhenTheyAreNoMore) {
  connect();
  drop(last);
  pair.run(dead_after + LaneWatch::patience - limits::keepalive, 10ms);
  EXPECT_TRUE(turns().empty()) << "keepalives may be lost";
  pair.run(limits::keepalive + delay, 10ms);
  EXPECT_EQ(turns(), gone);
  EXPECT_EQ(told(), gone[0]);
  pair.run(1min, 10ms);
  EXPECT_TRUE(turns().empty()) << "once";
  pair.b_passes = [](unsigned) { return true; };
  pair.run(delay, 10ms);
  EXPECT_EQ(turns(), none);
  EXPECT_EQ(told(), 0u);
}

// However long, and whichever lane is heard first behind it.
TEST_P(SilentLanes, APathThatWasAwayAsAWholeLeavesNone) {
  connect();
  for (const Time away : {9s, 11s, 18s, 60s}) {
    pair.b_passes = [](unsigned) { return false; };
    pair.run(away, 10ms);
    pair.b_passes = [](unsigned) { return true; };
    pair.run(10s, 10ms);
    EXPECT_TRUE(turns().empty()) << away.count();
  }
}

TEST_P(SilentLanes, AreFoundBehindAPathThatWasAway) {
  connect();
  pair.b_passes = [](unsigned) { return false; };
  pair.run(30s, 10ms);
  drop(last);
  pair.run(dead_after + LaneWatch::patience + delay, 10ms);
  EXPECT_EQ(turns(), gone);
}

TEST_P(SilentLanes, StayWhatTheyAreAcrossARekey) {
  connect();
  drop(last);
  pair.run(dead_after + LaneWatch::patience + delay, 10ms);
  EXPECT_EQ(turns(), gone);
  pair.connect(session(2));
  pair.run(1min, 10ms);
  EXPECT_TRUE(turns().empty()) << "nothing is new";
  EXPECT_EQ(told(), gone[0]);
  pair.b_passes = [](unsigned) { return true; };
  pair.run(delay, 10ms);
  EXPECT_EQ(turns(), none);
}

// The far site was started again with one worker.
TEST_P(SilentLanes, AreNoneOfASessionThatLacksThem) {
  connect();
  drop(last);
  pair.run(dead_after + LaneWatch::patience + delay, 10ms);
  EXPECT_EQ(turns(), gone);
  ipc::InstallSession next = session(2);
  next.lanes_in = static_cast<std::uint16_t>(pair.a.workers());
  pair.b.install(test::mirrored(next), pair.now);
  next.lanes_in = 1;
  pair.a.install(next, pair.now);
  pair.run(1min, 10ms);
  const auto told = pair.a.events();
  const auto turn = std::ranges::find(told, EventKind::lanes_turned, &ipc::Event::kind);
  ASSERT_NE(turn, told.end());
  EXPECT_EQ(turn->session_id, next.session_id);
  EXPECT_EQ(turn->detail, 1u);
  EXPECT_EQ(turn->silent_lanes, 0u);
}

TEST_P(SilentLanes, EndWithTheirSession) {
  connect();
  drop(last);
  pair.run(dead_after + LaneWatch::patience + delay, 10ms);
  EXPECT_EQ(turns(), gone);
  pair.a.remove(session().session_id, pair.now);
  pair.run(10ms);
  pair.connect(session(2));
  pair.run(5s, 10ms);
  EXPECT_EQ(told(), 0u);
}

TEST(OneLane, NeedsNoLook) {
  ManyPair pair{2, 1};
  ipc::InstallSession session = make_session();
  session.dead_after_ns = static_cast<std::uint64_t>(dead_after.count());
  pair.connect(session);
  pair.run(1min, 10ms);
  EXPECT_GT(pair.a.main_core().deadline(), pair.now + 1s);
  EXPECT_LE(pair.b.main_core().deadline(), pair.now + 1s);
}

}  // namespace
}  // namespace penstock::dataplane
