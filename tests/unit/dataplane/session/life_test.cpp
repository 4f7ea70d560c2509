#include "dataplane/session/life.hpp"

#include <list>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using ipc::RemovalReason;
using ipc::Role;
using ipc::SessionState;
using Kind = LifeAction::Kind;

// Sessions without SAs: life needs none.
class LifeTest : public testing::Test {
 protected:
  Session& make(Role role, Time max_age = 1h) {
    Session& session = sessions.emplace_back();
    session.role = role;
    session.order = sessions.size();
    session.local_spi_base = Spi::make(1, static_cast<std::uint32_t>(sessions.size()), 0);
    session.installed_at = now;
    session.max_age = max_age;
    return session;
  }
  Session& install(Role role, Time max_age = 1h) {
    Session& session = make(role, max_age);
    life.install(session, now);
    return session;
  }
  Session& make_current(Role role) {
    Session& session = install(role);
    life.good_frame(session, now);
    static_cast<void>(take());
    return session;
  }
  // As the worker would: a removal takes the session out of the table.
  std::vector<LifeAction> take() {
    const auto actions = life.take_actions();
    std::vector<LifeAction> taken{actions.begin(), actions.end()};
    for (const LifeAction& action : taken)
      if (action.kind == Kind::remove) table.erase(*action.session);
    return taken;
  }
  std::vector<Kind> kinds() {
    std::vector<Kind> all;
    for (const LifeAction& action : take()) all.push_back(action.kind);
    return all;
  }
  // Everything that happens until `until`, with the time of each.
  std::vector<std::pair<Time, Kind>> run_until(Time until) {
    std::vector<std::pair<Time, Kind>> happened;
    while (life.deadline() <= until) {
      now = life.deadline();
      life.expire(now);
      for (const Kind kind : kinds()) happened.emplace_back(now, kind);
    }
    now = until;
    return happened;
  }

  Time now = 1000s;
  std::list<Session> sessions;
  SessionTable table;
  SessionLife life{table};
};

TEST_F(LifeTest, InitiatorSpeaksAtOnceAndAgainUntilItGivesUp) {
  Session& session = install(Role::initiator);
  EXPECT_EQ(kinds(), std::vector{Kind::send_dummy});
  const Time start = now;
  const auto happened = run_until(start + 60s);
  ASSERT_GE(happened.size(), 6u);
  // 100 ms doubling to 1 s.
  EXPECT_EQ(happened[0], std::pair(start + 100ms, Kind::send_dummy));
  EXPECT_EQ(happened[1], std::pair(start + 300ms, Kind::send_dummy));
  EXPECT_EQ(happened[2], std::pair(start + 700ms, Kind::send_dummy));
  EXPECT_EQ(happened[3], std::pair(start + 1500ms, Kind::send_dummy));
  EXPECT_EQ(happened[4], std::pair(start + 2500ms, Kind::send_dummy));
  EXPECT_EQ(happened.back(), std::pair(start + limits::confirm_within, Kind::remove));
  EXPECT_EQ(session.state(), SessionState::unconfirmed);
  EXPECT_EQ(life.deadline(), Time::max());
}

TEST_F(LifeTest, ResponderWaitsToBeSpokenTo) {
  install(Role::responder);
  EXPECT_TRUE(kinds().empty());
  const Time start = now;
  const auto happened = run_until(start + 60s);
  ASSERT_EQ(happened.size(), 1u);
  EXPECT_EQ(happened[0], std::pair(start + limits::confirm_within, Kind::remove));
}

TEST_F(LifeTest, AGoodFrameConfirms) {
  Session& session = install(Role::initiator);
  static_cast<void>(take());
  EXPECT_EQ(table.current(0), nullptr);
  life.good_frame(session, now);
  EXPECT_EQ(kinds(), std::vector{Kind::confirmed});
  EXPECT_EQ(session.state(), SessionState::current);
  EXPECT_EQ(table.current(0), &session);
  for (const auto& [time, kind] : run_until(now + 59min)) EXPECT_EQ(kind, Kind::send_dummy);
  EXPECT_EQ(session.state(), SessionState::current);
}

TEST_F(LifeTest, ResponderAnswersTheFirstGoodFrameAndLaterOnesSparingly) {
  Session& session = install(Role::responder);
  life.good_frame(session, now);
  EXPECT_EQ(kinds(), (std::vector{Kind::confirmed, Kind::send_dummy}));
  life.good_frame(session, now);  // the same batch
  EXPECT_TRUE(kinds().empty());
  now += 100ms;  // the answer was lost: the initiator asks again
  life.good_frame(session, now);
  life.good_frame(session, now);
  EXPECT_EQ(kinds(), std::vector{Kind::send_dummy});
  now += limits::confirm_within;
  life.good_frame(session, now);
  EXPECT_TRUE(kinds().empty());
}

TEST_F(LifeTest, TheNextSessionReplacesTheFirst) {
  Session& first = make_current(Role::initiator);
  Session& second = install(Role::initiator);
  static_cast<void>(take());
  EXPECT_EQ(table.current(0), &first);
  life.good_frame(second, now);
  const auto actions = take();
  ASSERT_EQ(actions.size(), 2u);
  EXPECT_EQ(actions[0].kind, Kind::confirmed);
  EXPECT_EQ(actions[1].kind, Kind::finish_open);
  EXPECT_EQ(actions[1].session, &first);
  EXPECT_EQ(table.current(0), &second);
  EXPECT_EQ(first.state(), SessionState::retiring);

  now += limits::grace - 1ns;
  second.last_sealed = now;
  life.expire(now);
  EXPECT_TRUE(kinds().empty());
  life.good_frame(first, now);  // still received, changes nothing
  EXPECT_TRUE(kinds().empty());
  EXPECT_EQ(table.current(0), &second);
  now += 1ns;
  life.expire(now);
  const auto removed = take();
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].session, &first);
  EXPECT_EQ(removed[0].reason, RemovalReason::replaced);
}

TEST_F(LifeTest, AnEarlierSessionConfirmedLateOnlyReceives) {
  Session& early = install(Role::responder);
  Session& late = make_current(Role::responder);
  life.good_frame(early, now);
  EXPECT_EQ(kinds(), std::vector{Kind::send_dummy});
  EXPECT_EQ(early.state(), SessionState::retiring);
  EXPECT_EQ(table.current(0), &late);
}

TEST_F(LifeTest, AShareWaitsLongerForTheWordOfOthersThanForFrames) {
  Session& heard = make(Role::initiator);
  heard.is_shared = true;
  life.install(heard, now);
  const Time installed = now;
  for (const auto& [at, kind] : run_until(installed + 10s)) EXPECT_EQ(kind, Kind::send_dummy);
  now = installed + 10s;
  life.good_frame(heard, now);
  EXPECT_EQ(heard.state(), SessionState::unconfirmed) << "another may have given up on it";
  EXPECT_TRUE(run_until(installed + 10'900ms).empty()) << "nor does it ask for frames";
  life.confirm_too(heard, now);
  EXPECT_EQ(heard.state(), SessionState::current);

  Session& unheard = make(Role::responder);
  unheard.is_shared = true;
  life.install(unheard, now);
  static_cast<void>(take());
  EXPECT_EQ(unheard.state_ends, now + 11s);
}

TEST_F(LifeTest, AnUnconfirmedSessionDisplacesNothing) {
  Session& current = make_current(Role::initiator);
  install(Role::initiator);
  static_cast<void>(take());
  run_until(now + limits::confirm_within);
  EXPECT_EQ(table.current(0), &current);
  EXPECT_EQ(current.state(), SessionState::current);
  EXPECT_EQ(table.all().size(), 1u);
}

TEST_F(LifeTest, MaxAgeEndsEverything) {
  Session& session = install(Role::initiator, 5s);
  life.good_frame(session, now);
  static_cast<void>(take());
  now += 5s;
  life.expire(now);
  const auto actions = take();
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].reason, RemovalReason::max_age);
  EXPECT_EQ(table.current(0), nullptr);
}

TEST_F(LifeTest, TheCurrentSessionNeverSaysNothingForLong) {
  Session& session = make_current(Role::initiator);
  const Time start = session.last_sealed;
  const auto happened = run_until(start + 10s);
  ASSERT_EQ(happened.size(), 3u);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(happened[i], std::pair(start + (i + 1) * Time{limits::keepalive}, Kind::send_dummy));
}

TEST_F(LifeTest, TrafficIsAKeepaliveToo) {
  Session& session = make_current(Role::responder);
  now += 2s;
  session.last_sealed = now;  // as seal() does
  const auto happened = run_until(now + 4s);
  ASSERT_EQ(happened.size(), 1u);
  EXPECT_EQ(happened[0].first, now - 1s);
}

TEST_F(LifeTest, OnlyTheCurrentSessionIsKeptAlive) {
  Session& first = make_current(Role::initiator);
  Session& second = make_current(Role::initiator);
  now += limits::keepalive;
  life.expire(now);
  const auto actions = take();
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].session, &second);
  EXPECT_EQ(first.state(), SessionState::retiring);
}

class SilenceTest : public LifeTest {
 protected:
  Session& make_watched(Time dead_after = 10s) {
    Session& session = make(Role::initiator);
    session.dead_after = dead_after;
    life.install(session, now);
    life.good_frame(session, now);
    static_cast<void>(take());
    return session;
  }
  // When the far side was found silent or heard again, until `until`.
  std::vector<Time> turns_until(Time until) {
    std::vector<Time> turns;
    for (const auto& [time, kind] : run_until(until))
      if (kind == Kind::silence_turned) turns.push_back(time);
    return turns;
  }
  static bool is_silent(const Session& session) { return session.progress.is_silent.load(); }
};

TEST_F(SilenceTest, IsToldOnceWhenItIsLongEnough) {
  Session& session = make_watched();
  const Time start = now;
  EXPECT_EQ(turns_until(start + 30s), std::vector{start + 10s});
  EXPECT_TRUE(is_silent(session));
}

TEST_F(SilenceTest, EndsWithTheNextGoodFrame) {
  Session& session = make_watched();
  static_cast<void>(turns_until(now + 20s));
  life.good_frame(session, now);
  EXPECT_EQ(kinds(), std::vector{Kind::silence_turned});
  EXPECT_FALSE(is_silent(session));
  life.good_frame(session, now);
  EXPECT_TRUE(kinds().empty());
  const Time heard = now;
  EXPECT_EQ(turns_until(heard + 20s), std::vector{heard + 10s});  // and again
}

TEST_F(SilenceTest, IsCountedFromTheLastGoodFrame) {
  Session& session = make_watched(5s);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(turns_until(now + 4s).empty());
    life.good_frame(session, now);
  }
  const Time heard = now;
  EXPECT_EQ(turns_until(heard + 6s), std::vector{heard + 5s});
}

TEST_F(SilenceTest, NobodyAskedForIsNotTold) {
  const Session& session = make_watched(Time{});
  EXPECT_TRUE(turns_until(now + 10min).empty());
  EXPECT_FALSE(is_silent(session));
}

TEST_F(SilenceTest, OfASessionThatIsNotCurrentIsNotTold) {
  Session& old = make_watched(5s);
  static_cast<void>(turns_until(now + 6s));
  EXPECT_TRUE(is_silent(old));
  Session& next = make(Role::initiator);
  life.install(next, now);
  life.good_frame(next, now);
  static_cast<void>(take());
  life.good_frame(old, now);  // late, on its way since before
  EXPECT_TRUE(kinds().empty());
  EXPECT_TRUE(turns_until(now + limits::grace).empty());
}

TEST_F(LifeTest, RemovalIsAtOnce) {
  Session& session = make_current(Role::initiator);
  life.remove(session, RemovalReason::by_controller);
  const auto actions = take();
  ASSERT_EQ(actions.size(), 1u);
  EXPECT_EQ(actions[0].reason, RemovalReason::by_controller);
  EXPECT_EQ(table.current(0), nullptr);
}

TEST_F(LifeTest, AsManySessionsAsTheTableHolds) {
  for (std::size_t i = 0; i < SessionTable::capacity; ++i) install(Role::initiator);
  EXPECT_EQ(kinds().size(), SessionTable::capacity);
  run_until(now + 1min);
  EXPECT_TRUE(table.all().empty());
}

}  // namespace
}  // namespace penstock::dataplane
