// Sessions over several workers, with as many lanes on the far side, fewer or more.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/forger.hpp"
#include "tests/unit/dataplane/fixture/many.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using ipc::EventKind;
using ipc::SessionState;
using test::FakePacket;
using test::make_packet;
using test::make_session;
using test::ManyPair;
using test::ManySite;

struct Sides {
  unsigned a;
  unsigned b;
};

class ManyWorkers : public testing::TestWithParam<Sides> {
 protected:
  ManyWorkers() : pair(GetParam().a, GetParam().b) {}

  // A packet from each worker of one side arrives whole at the other.
  void expect_all_lanes_carry(ManySite& from, ManySite& to) {
    for (unsigned worker = 0; worker < from.workers(); ++worker)
      from.plain(worker).incoming.push_back({.bytes = make_packet(100 + worker)});
    pair.run(10ms);
    std::multiset<std::size_t> sizes;
    for (unsigned worker = 0; worker < to.workers(); ++worker) {
      for (const auto& packet : to.plain(worker).sent) sizes.insert(packet.bytes.size());
      // By the worker that has the lane, as lane w is worker w's.
      for (const auto& packet : to.plain(worker).sent)
        EXPECT_EQ((packet.bytes.size() - 100) % to.workers(), worker);
      to.plain(worker).sent.clear();
    }
    EXPECT_EQ(sizes.size(), from.workers());
  }
  std::size_t removed(ManySite& site) {
    std::size_t count = 0;
    for (const ipc::Event& event : site.events())
      if (event.kind == EventKind::session_removed) ++count, reason = event.detail;
    return count;
  }
  void expect_balanced() {
    for (ManySite* site : {&pair.a, &pair.b})
      for (unsigned worker = 0; worker < site->workers(); ++worker) {
        site->turn_worker(worker, pair.now + 1s);
        EXPECT_EQ(unbalanced_book(site->count(worker)), "") << worker;
      }
  }

  ManyPair pair;
  std::uint32_t reason = 0;
};

INSTANTIATE_TEST_SUITE_P(DataPlane, ManyWorkers,
                         testing::Values(Sides{1, 1}, Sides{2, 1}, Sides{2, 2}, Sides{2, 3},
                                         Sides{2, 5}, Sides{3, 1}, Sides{3, 2}, Sides{3, 3},
                                         Sides{3, 5}, Sides{1, 5}),
                         [](const auto& test) {
                           return std::to_string(test.param.a) + "And" +
                                  std::to_string(test.param.b);
                         });

TEST_P(ManyWorkers, EachHasTheLanesOfItsSeat) {
  pair.connect(make_session());
  const auto& shares = pair.a.session().shares;
  std::size_t lanes = 0;
  for (unsigned worker = 0; worker < shares.size(); ++worker) {
    EXPECT_EQ(shares[worker]->out->keys.spi().lane(), worker);
    for (const InboundSa& sa : shares[worker]->in) {
      EXPECT_EQ(sa.spi.lane() % pair.a.workers(), worker);
      EXPECT_EQ(sa.session, shares[worker].get());
    }
    EXPECT_EQ(shares[worker]->receives, worker < pair.b.workers());
    lanes += shares[worker]->in.size();
  }
  EXPECT_EQ(lanes, pair.b.workers());
}

TEST_P(ManyWorkers, AllLanesCarryBothWays) {
  pair.connect(make_session());
  expect_all_lanes_carry(pair.a, pair.b);
  expect_all_lanes_carry(pair.b, pair.a);
  expect_balanced();
}

// The answer may come on any lane: a worker that has not got its share yet would not know it.
TEST_P(ManyWorkers, NobodySpeaksBeforeAllCanHear) {
  pair.install(make_session());
  ManySite& a = pair.a;
  const unsigned last = a.workers() - 1;
  for (int i = 0; i < 500; ++i, pair.now += 1ms) {
    for (unsigned worker = 0; worker < last; ++worker) a.turn_worker(worker, pair.now);
    a.turn_main_core(pair.now);
  }
  EXPECT_TRUE(a.take_sent().empty());
  for (int i = 0; i < 3; ++i) a.turn(pair.now);
  EXPECT_EQ(a.take_sent().size(), a.workers());
}

TEST_P(ManyWorkers, OneLaneConfirmsForAllAndItIsToldOnce) {
  // Of all frames that could confirm only those of the last lane each way arrive.
  const unsigned a_last = GetParam().a - 1;
  const unsigned b_last = GetParam().b - 1;
  pair.a_passes = [=](unsigned lane) { return lane == a_last; };
  pair.b_passes = [=](unsigned lane) { return lane == b_last; };
  pair.connect(make_session());
  EXPECT_EQ(pair.a.count_events(EventKind::session_confirmed), 1u);
  EXPECT_EQ(pair.b.count_events(EventKind::session_confirmed), 1u);
  pair.run(15s, 10ms);
  EXPECT_TRUE(pair.is_current()) << "nobody gives up on it";
  EXPECT_EQ(removed(pair.a) + removed(pair.b), 0u);
}

TEST_P(ManyWorkers, NobodyAnsweringEndsItOnceForAll) {
  pair.b_passes = [](unsigned) { return false; };
  pair.install(make_session());
  pair.run(12s, 10ms);
  EXPECT_TRUE(pair.a.main_core().sessions().all().empty());
  EXPECT_EQ(removed(pair.a), 1u);
  EXPECT_EQ(reason, static_cast<std::uint32_t>(ipc::RemovalReason::unconfirmed));
}

// One worker hears the far side in the last moment, the others are told when that has passed.
TEST_P(ManyWorkers, NobodyGivesUpOnWhatAnotherHasJustConfirmed) {
  pair.b_passes = [](unsigned) { return false; };
  pair.install(make_session());
  pair.run(9'990ms, 10ms);
  pair.b.plain(0).incoming.push_back({.bytes = make_packet(100)});
  for (int i = 0; i < 5; ++i, pair.now += 1ms) pair.b.turn(pair.now);
  auto sent = pair.b.take_sent();
  ASSERT_EQ(sent.size(), 1u);
  pair.a.receive(std::move(sent.front()));
  pair.a.turn_worker(0, pair.now);
  pair.now += 10ms;
  for (unsigned worker = 1; worker < pair.a.workers(); ++worker)
    pair.a.turn_worker(worker, pair.now);
  pair.run(2s, 10ms);
  EXPECT_EQ(removed(pair.a), 0u);
  EXPECT_TRUE(pair.is_current());
}

TEST_P(ManyWorkers, SilenceIsWhatNobodyHears) {
  ipc::InstallSession session = make_session();
  session.dead_after_ns = static_cast<std::uint64_t>(Time{10s}.count());
  pair.connect(session);
  pair.run(30s, 10ms);
  EXPECT_EQ(pair.a.count_events(EventKind::peer_silent), 0u) << "every lane is kept alive";
  pair.b_passes = [](unsigned lane) { return lane == 0; };
  pair.run(15s, 10ms);
  EXPECT_EQ(pair.a.count_events(EventKind::peer_silent), 0u) << "one lane is heard";
  pair.b_passes = [](unsigned) { return false; };
  pair.run(15s, 10ms);
  EXPECT_EQ(pair.a.count_events(EventKind::peer_silent), 1u);
  EXPECT_EQ(describe(pair.a.session(), pair.now).is_silent, 1);
  const unsigned b_last = GetParam().b - 1;
  pair.b_passes = [=](unsigned lane) { return lane == b_last; };
  pair.run(5s, 10ms);
  EXPECT_EQ(pair.a.count_events(EventKind::peer_heard), 1u);
}

TEST_P(ManyWorkers, ARekeyIsTakenByAllAndTheOldOneRetires) {
  pair.connect(make_session(1));
  pair.connect(make_session(2));
  expect_all_lanes_carry(pair.a, pair.b);
  expect_all_lanes_carry(pair.b, pair.a);
  static_cast<void>(removed(pair.a));
  pair.run(11s, 10ms);
  EXPECT_EQ(pair.a.main_core().sessions().all().size(), 1u);
  EXPECT_EQ(removed(pair.a), 1u);
  EXPECT_EQ(reason, static_cast<std::uint32_t>(ipc::RemovalReason::replaced));
  EXPECT_TRUE(pair.is_current());
  expect_balanced();
}

TEST_P(ManyWorkers, OfTwoThatAreConfirmedAtOnceTheLaterOneStays) {
  pair.a_passes = [](unsigned) { return false; };
  pair.install(make_session(1));
  pair.install(make_session(2));
  pair.a_passes = [](unsigned) { return true; };
  // The workers of A hear of both before the main core does, the last worker of the earlier one.
  pair.run(2s);
  EXPECT_TRUE(pair.is_current()) << "the later one, on every worker";
  const auto& first = pair.a.main_core().sessions().all().front();
  for (const auto& share : first->shares) EXPECT_NE(share->state(), SessionState::current);
}

TEST_P(ManyWorkers, ARemovalEndsAllShares) {
  pair.connect(make_session());
  static_cast<void>(pair.a.events());
  pair.a.remove(make_session().session_id, pair.now);
  pair.run(10ms);
  EXPECT_TRUE(pair.a.main_core().sessions().all().empty());
  EXPECT_EQ(removed(pair.a), 1u);
  EXPECT_EQ(reason, static_cast<std::uint32_t>(ipc::RemovalReason::by_controller));
}

TEST_P(ManyWorkers, MaxAgeEndsAllShares) {
  ipc::InstallSession session = make_session();
  session.max_age_ns = static_cast<std::uint64_t>(Time{20s}.count());
  pair.connect(session);
  pair.run(21s, 10ms);
  EXPECT_TRUE(pair.a.main_core().sessions().all().empty());
  EXPECT_EQ(removed(pair.a), 1u);
  EXPECT_EQ(reason, static_cast<std::uint32_t>(ipc::RemovalReason::max_age));
}

TEST_P(ManyWorkers, ZeroizeEndsEverything) {
  pair.connect(make_session(1));
  pair.connect(make_session(2));
  static_cast<void>(pair.a.events());
  pair.a.zeroize(pair.now);
  pair.run(10ms);
  EXPECT_TRUE(pair.a.main_core().sessions().all().empty());
  EXPECT_EQ(removed(pair.a), 2u);
  EXPECT_EQ(reason, static_cast<std::uint32_t>(ipc::RemovalReason::zeroized));
}

// What workers handed over meanwhile is wiped when all have given their shares back.
TEST_P(ManyWorkers, AFullMailboxHasRoomForTheEndOfAZeroize) {
  pair.connect(make_session());
  pair.a.zeroize(pair.now);
  for (unsigned worker = 0; worker < pair.a.workers(); ++worker) {
    pair.a.turn_worker(worker, pair.now);
    auto& commands = pair.a.mailbox(worker).commands;
    while (commands.room() > 1) ASSERT_TRUE(commands.push({.kind = Command::Kind::link_gone}));
  }
  pair.a.turn_main_core(pair.now);
  for (unsigned worker = 0; worker < pair.a.workers(); ++worker)
    EXPECT_EQ(pair.a.mailbox(worker).commands.room(), pair.a.workers() > 1 ? 0 : 1);
}

TEST_P(ManyWorkers, WhatIsToldOfASessionIsOfAllItsShares) {
  pair.connect(make_session());
  expect_all_lanes_carry(pair.a, pair.b);
  expect_all_lanes_carry(pair.b, pair.a);
  std::uint64_t sealed = 0;
  std::uint64_t opened = 0;
  for (unsigned worker = 0; worker < pair.a.workers(); ++worker) {
    sealed += pair.a.count(worker)[Counter::frames_sealed];
    opened += pair.a.count(worker)[Counter::frames_opened];
  }
  const ipc::SessionInfo info = describe(pair.a.session(), pair.now);
  EXPECT_GE(sealed, pair.a.workers());
  EXPECT_EQ(info.frames_sealed, sealed);
  EXPECT_EQ(info.frames_opened, opened);
  EXPECT_EQ(info.state, SessionState::current);
}

// A mailbox without room keeps nobody from hearing that a session was confirmed.
TEST_P(ManyWorkers, AFullMailboxDelaysAConfirmationAndLosesNone) {
  pair.a_passes = [](unsigned lane) { return lane == 0; };
  pair.b_passes = [](unsigned lane) { return lane == 0; };
  pair.install(make_session());
  pair.b.turn(pair.now);  // the shares are taken
  pair.a.turn(pair.now);
  const unsigned last = pair.a.workers() - 1;
  Mailbox& mailbox = pair.a.mailbox(last);
  if (last == 0) return;
  while (mailbox.commands.push({.kind = Command::Kind::link_gone, .link = 99})) continue;
  // Its worker stands still meanwhile.
  for (int i = 0; i < 20; ++i, pair.now += 1ms) {
    for (unsigned worker = 0; worker < last; ++worker) pair.a.turn_worker(worker, pair.now);
    pair.a.turn_main_core(pair.now);
    for (auto& packet : pair.a.take_sent()) pair.b.receive(std::move(packet));
    pair.b.turn(pair.now);
    for (auto& packet : pair.b.take_sent()) pair.a.receive(std::move(packet));
  }
  EXPECT_EQ(pair.a.states().front(), SessionState::current);
  EXPECT_EQ(pair.a.states().back(), SessionState::unconfirmed);
  EXPECT_LE(pair.a.main_core().deadline(), pair.now + 10ms);
  EXPECT_EQ(pair.a.count_events(EventKind::session_confirmed), 0u) << "not all send on it";
  EXPECT_EQ(pair.a.main_core().total()[DropReason::mailbox_full], 0u) << "nothing is lost";
  pair.run(100ms);
  EXPECT_TRUE(pair.is_current());
  EXPECT_EQ(pair.a.count_events(EventKind::session_confirmed), 1u);
}

// Behind a NAT that gave the far side another port.
class RemappedWorkers : public ManyWorkers {
 protected:
  static constexpr std::uint16_t mapped = 4321;
  static constexpr std::size_t source_at = ethernet_header + ipv4_header;
  static constexpr std::size_t destination_at = source_at + 2;

  static void set_port(FakePacket& packet, std::size_t at, std::uint16_t from, std::uint16_t to) {
    constexpr std::uint16_t ipv4 = 0x0800;
    std::byte* const port = &packet.bytes[at];
    if (load_be16(&packet.bytes[12]) == ipv4 && load_be16(port) == from) store_be16(port, to);
  }
  // 1 ms; the last worker of A stands still if it `waits`.
  void step(bool waits) {
    ManySite& a = pair.a;
    for (unsigned worker = 0; worker < a.workers() - (waits ? 1 : 0); ++worker)
      a.turn_worker(worker, pair.now);
    a.turn_main_core(pair.now);
    for (FakePacket& packet : a.take_sent()) {
      set_port(packet, destination_at, mapped, limits::default_port);
      pair.b.receive(std::move(packet));
    }
    pair.b.plain(0).incoming.push_back({.bytes = make_packet(100)});
    pair.b.turn(pair.now);
    for (FakePacket& packet : pair.b.take_sent()) {
      set_port(packet, source_at, limits::default_port, mapped);
      a.receive(std::move(packet));
    }
    pair.now += 1ms;
  }
  std::size_t moved_shares() {
    return static_cast<std::size_t>(std::ranges::count_if(
        pair.a.session().shares,
        [](const auto& share) { return share->route.destination.port == mapped; }));
  }
};

INSTANTIATE_TEST_SUITE_P(DataPlane, RemappedWorkers,
                         testing::Values(Sides{1, 1}, Sides{2, 1}, Sides{3, 2}),
                         [](const auto& test) {
                           return std::to_string(test.param.a) + "And" +
                                  std::to_string(test.param.b);
                         });

TEST_P(RemappedWorkers, AllLanesMoveOrNone) {
  ipc::InstallSession session = make_session();
  session.roams = 1;
  pair.connect(session);
  ManySite& a = pair.a;
  if (a.workers() > 1) {
    Mailbox& mailbox = a.mailbox(a.workers() - 1);
    while (mailbox.commands.push({.kind = Command::Kind::link_gone, .link = 99})) continue;
    for (int i = 0; i < 1000; ++i) step(true);
    EXPECT_EQ(moved_shares(), 0u);
    EXPECT_EQ(a.count_events(EventKind::peer_moved), 0u);
  }
  for (int i = 0; i < 1000; ++i) step(false);
  EXPECT_EQ(moved_shares(), a.workers());
  EXPECT_EQ(a.count_events(EventKind::peer_moved), 1u);
}

}  // namespace
}  // namespace penstock::dataplane
