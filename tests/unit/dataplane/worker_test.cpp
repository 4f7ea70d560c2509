// A worker's whole turn: sessions that come, take over, retire and go, under traffic.
#include "dataplane/worker.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using ipc::SessionState;
using test::make_packet;
using test::TestPair;

std::vector<Note::Kind> kinds(const std::vector<Note>& notes) {
  std::vector<Note::Kind> all;
  for (const Note& note : notes) all.push_back(note.kind);
  return all;
}

TEST(Worker, ConfirmsASessionWithOneFrameEachWay) {
  TestPair pair;
  pair.connect();
  EXPECT_EQ(kinds(pair.a.notes()), (std::vector{Note::Kind::installed, Note::Kind::confirmed}));
  EXPECT_EQ(kinds(pair.b.notes()), (std::vector{Note::Kind::installed, Note::Kind::confirmed}));
  EXPECT_EQ(pair.a.count()[Counter::dummy_frames], 1u);
  EXPECT_EQ(pair.b.count()[Counter::dummy_frames], 1u);
  expect_balanced(pair);
}

TEST(Worker, ConfirmsThoughTheFirstAnswersAreLost) {
  TestPair pair;
  pair.session_b = &pair.b.install(test::mirrored(test::make_session()), pair.now);
  pair.session_a = &pair.a.install(test::make_session(), pair.now);
  for (int lost = 0; lost < 3; ++lost) {
    pair.a.worker->turn(pair.now);
    pair.carry();
    pair.b.worker->turn(pair.now);
    pair.b.wire.sent.clear();
    pair.now += 1s;
  }
  pair.run();
  EXPECT_EQ(pair.session_a->shares[0]->state(), SessionState::current);
}

TEST(Worker, ARekeyUnderTrafficLosesNothingAndKeepsTheOrder) {
  TestPair pair{{.hold = 1ms}};
  pair.connect(1);
  std::vector<std::vector<std::byte>> sent;
  const auto send = [&] {
    for (int i = 0; i < 5; ++i) {
      sent.push_back(make_packet(100 + static_cast<std::size_t>(i) * 300));
      pair.a.plain.incoming.push_back({.bytes = sent.back()});
    }
  };
  for (std::uint32_t number = 2; number < 12; ++number) {
    send();
    pair.b.install(test::mirrored(test::make_session(number)), pair.now);
    pair.a.install(test::make_session(number), pair.now);
    for (int turn = 0; turn < 8; ++turn) {
      send();
      pair.a.worker->turn(pair.now);
      pair.carry();
      pair.b.worker->turn(pair.now);
      pair.now += 100us;
    }
  }
  pair.now += 10ms;
  pair.run();
  ASSERT_EQ(pair.b.plain.sent.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) ASSERT_EQ(pair.b.plain.sent[i].bytes, sent[i]) << i;
  EXPECT_EQ(pair.b.count()[DropReason::incomplete_packet], 0u);
  expect_balanced(pair);

  static_cast<void>(pair.a.notes());
  pair.now += limits::grace;
  pair.run();
  EXPECT_EQ(kinds(pair.a.notes()), std::vector(10, Note::Kind::returned));
}

TEST(Worker, FramesOfTheOldSessionAreStillOpened) {
  TestPair pair;
  pair.connect(1);
  pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
  pair.a.worker->turn(pair.now);
  const auto under_way = std::move(pair.a.wire.sent);
  pair.a.wire.sent.clear();
  pair.connect(2);
  for (const auto& packet : under_way) pair.b.wire.incoming.push_back(packet);
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 1u);
}

TEST(Worker, RemovalIsAtOnceAndGivesTheSessionBack) {
  TestPair pair;
  pair.connect();
  static_cast<void>(pair.a.notes());
  Session* share = pair.session_a->shares[0].get();
  pair.a.command({.kind = Command::Kind::remove, .session = share});
  pair.a.command({.kind = Command::Kind::remove, .session = share});  // too late: nothing
  pair.a.worker->turn(pair.now);
  const auto notes = pair.a.notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].kind, Note::Kind::returned);
  EXPECT_EQ(notes[0].reason, ipc::RemovalReason::by_controller);
  EXPECT_EQ(notes[0].session, share);
  pair.a.directory->erase(*pair.session_a);

  pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
  pair.b.plain.incoming.push_back({.bytes = make_packet(60)});
  pair.run();
  EXPECT_EQ(pair.a.count()[DropReason::no_session], 1u);
  EXPECT_EQ(pair.a.count()[DropReason::unknown_spi], 1u);
  expect_balanced(pair);
}

TEST(Worker, RemovalSendsTheOpenFrameAndFreesHeldOnes) {
  TestPair pair{{.plain_mtu = 9000, .hold = 1s}};
  pair.connect();
  for (int i = 0; i < 4; ++i) pair.a.plain.incoming.push_back({.bytes = make_packet(2000)});
  pair.a.worker->turn(pair.now);
  const unsigned before = test::in_use(pair.b.frames);
  ASSERT_GE(pair.a.wire.sent.size(), 3u);
  pair.a.wire.sent.erase(pair.a.wire.sent.begin() + 1);
  pair.carry();
  pair.b.worker->turn(pair.now);
  EXPECT_GT(pair.b.count()[Gauge::held_frames], 0u);
  pair.a.command({.kind = Command::Kind::remove, .session = pair.session_a->shares[0].get()});
  pair.b.command({.kind = Command::Kind::remove, .session = pair.session_b->shares[0].get()});
  pair.a.worker->turn(pair.now);
  pair.b.worker->turn(pair.now);
  EXPECT_FALSE(pair.a.wire.sent.empty());
  EXPECT_EQ(pair.b.count()[Gauge::held_frames], 0u);
  EXPECT_LE(test::in_use(pair.b.frames), before + 64);
  expect_balanced(pair);
}

TEST(Worker, SendsForTheMainCore) {
  test::TestSite site{0};
  const auto inject = [&] {
    rte_mbuf* packet = rte_pktmbuf_alloc(site.punt_pool.get());
    static_cast<void>(rte_pktmbuf_append(packet, 60));
    site.command({.kind = Command::Kind::inject, .packet = packet});
    site.worker->turn(1000s);
  };
  inject();
  EXPECT_EQ(site.wire.sent.size(), 1u);
  EXPECT_EQ(site.count()[Counter::injected], 1u);
  site.wire.accepts = 0;
  inject();
  EXPECT_EQ(site.count()[Counter::injected], 1u);
  EXPECT_EQ(site.count()[DropReason::mailbox_full], 1u);
  EXPECT_EQ(test::in_use(site.punt_pool), 0u);
}

TEST(Worker, CountsWhatTheKernelLost) {
  test::TestSite site{0};
  site.plain.lost = 3;
  site.wire.lost = 4;
  site.worker->turn(1000s);
  EXPECT_EQ(site.count()[DropReason::plain_kernel_drop], 3u);
  EXPECT_EQ(site.count()[DropReason::wire_kernel_drop], 4u);
}

TEST(Worker, LeaksNoBuffer) {
  TestPair pair{{.plain_mtu = 9000}};
  pair.connect();
  const auto in_use = [&] { return test::in_use(pair.a.frames) + test::in_use(pair.b.frames); };
  const auto burst = [&] {
    for (int i = 0; i < 200; ++i) {
      pair.a.plain.incoming.push_back(
          {.bytes = make_packet(60 + static_cast<std::size_t>(i) * 40)});
      pair.b.plain.incoming.push_back({.bytes = make_packet(60)});
    }
    pair.run();
  };
  burst();
  const unsigned before = in_use();
  for (int i = 0; i < 20; ++i) burst();
  EXPECT_LE(in_use(), before + 16);  // what the stashes keep at hand varies a little
}

}  // namespace
}  // namespace penstock::dataplane
