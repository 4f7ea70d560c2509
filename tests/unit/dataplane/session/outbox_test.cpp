#include "dataplane/session/outbox.hpp"

#include <poll.h>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/environment.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;

TEST(PuntRate, AllowsABurstAndThenARate) {
  PuntRate rate{4, 10};
  Time now = 100s;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(rate.allow(now));
  EXPECT_FALSE(rate.allow(now));
  EXPECT_FALSE(rate.allow(now + 99ms));
  EXPECT_TRUE(rate.allow(now + 100ms));
  EXPECT_FALSE(rate.allow(now + 100ms));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(rate.allow(now + 10s));
  EXPECT_FALSE(rate.allow(now + 10s));
}

TEST(Outbox, DropsPacketsWhenTheMainCoreIsBehind) {
  const Pool pool = test::make_test_pool(1023);
  Wake wake;
  Mailbox mailbox{0};
  mailbox.main_wake = &wake;
  WorkerCounters count;
  Outbox outbox{mailbox, count};
  for (int i = 0; i < 300; ++i) outbox.punt(PuntKind::echo, rte_pktmbuf_alloc(pool.get()));
  EXPECT_EQ(count.own()[Counter::punted], 255u);
  EXPECT_EQ(count.own()[DropReason::punt_full], 45u);
  EXPECT_EQ(test::in_use(pool), 255u);
  while (const auto punted = mailbox.punts.pop()) rte_pktmbuf_free(punted->packet);
}

TEST(Outbox, OneSessionCannotUseUpWhatAllMaySay) {
  Mailbox mailbox{0};
  WorkerCounters count;
  Outbox outbox{mailbox, count};
  Session loud;
  Session quiet;
  const Time now = 100s;
  for (int i = 0; i < 1000; ++i) {
    static_cast<void>(outbox.may_pass_up(loud, now));
    static_cast<void>(outbox.may_trace(loud, now));
  }
  EXPECT_FALSE(outbox.may_pass_up(loud, now));
  EXPECT_FALSE(outbox.may_trace(loud, now));
  EXPECT_TRUE(outbox.may_pass_up(quiet, now));
  EXPECT_TRUE(outbox.may_trace(quiet, now));
}

TEST(Outbox, WakesTheMainCoreOnce) {
  Wake wake;
  Mailbox mailbox{0};
  mailbox.main_wake = &wake;
  WorkerCounters count;
  Outbox outbox{mailbox, count};
  const auto is_awake = [&] {
    pollfd descriptor{.fd = wake.fd(), .events = POLLIN, .revents = 0};
    return poll(&descriptor, 1, 0) == 1;
  };
  outbox.ring();
  EXPECT_FALSE(is_awake());
  outbox.note({.kind = Note::Kind::installed});
  EXPECT_FALSE(is_awake());
  outbox.ring();
  EXPECT_TRUE(is_awake());
  wake.clear();
  outbox.ring();
  EXPECT_FALSE(is_awake());
}

TEST(Outbox, HasOneNoteOfSilenceUnderWay) {
  Mailbox mailbox{0};
  Wake wake;
  mailbox.main_wake = &wake;
  WorkerCounters count;
  Outbox outbox{mailbox, count};
  Session session;
  outbox.tell_silence(session);
  outbox.tell_silence(session);
  EXPECT_TRUE(mailbox.notes.pop());
  EXPECT_FALSE(mailbox.notes.pop());
  session.progress.has_silence_note = false;  // the main core looks
  outbox.tell_silence(session);
  EXPECT_TRUE(mailbox.notes.pop());
}

}  // namespace
}  // namespace penstock::dataplane
