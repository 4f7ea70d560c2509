// A far side that falls silent, and comes back.
#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"

namespace penstock::controlplane {
namespace {

class Silence : public Beta {
 protected:
  void tell(ipc::EventKind kind, const ipc::SessionId& id) {
    controller.on_event(event(kind, id), now);
  }
  ipc::SessionInfo living(const ipc::SessionId& id) {
    ipc::SessionInfo info{.session_id = id,
                          .role = ipc::Role::responder,
                          .state = ipc::SessionState::current,
                          .suite = x25519.code(),
                          .is_silent = 1,
                          .peer = ipc::to_wire(alpha),
                          .age_ns = 60'000'000'000,
                          .idle_ns = 40'000'000'000};
    std::ranges::copy(std::string_view{"alpha"}, info.peer_name.begin());
    return info;
  }
};

TEST_F(Silence, TakesTheLinkDownAndKeepsTheSession) {
  const ipc::SessionId session = reach_current();
  now += 30s;
  tell(ipc::EventKind::peer_silent, session);
  const LinkStatus status = controller.status();
  EXPECT_EQ(status.state, LinkStatus::State::down);
  EXPECT_EQ(status.reason, "nothing heard from alpha for 10 s");
  EXPECT_EQ(status.session_id, session);
  EXPECT_EQ(status.since, now);
  EXPECT_EQ(status.silences, 1u);
  const auto actions = controller.take_actions();
  ASSERT_EQ(actions.size(), 1u) << "no Remove";
  EXPECT_TRUE(
      std::get<Notice>(actions[0]).text.ends_with("down: nothing heard from alpha for 10 s"));
  tell(ipc::EventKind::peer_silent, session);
  EXPECT_EQ(controller.status().silences, 1u);
}

TEST_F(Silence, StartsAttemptsAtOnceInTheClear) {
  const ipc::SessionId session = reach_current();
  now += 30s;
  tell(ipc::EventKind::peer_silent, session);
  ASSERT_LE(controller.deadline(), now);
  controller.on_timer(now);
  const auto sent = take<SendDatagram>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, alpha);
  now += limits::attempt_life;
  controller.on_timer(now);
  EXPECT_EQ(controller.status().state, LinkStatus::State::down);
  EXPECT_TRUE(controller.status().reason.starts_with(
      "nothing heard from alpha for 10 s; no answer from 192.0.2.1:7670: is it running"))
      << controller.status().reason;
  EXPECT_GT(controller.deadline(), now) << "with backoff";
}

TEST_F(Silence, EndsAnAttemptThatWentThroughTheSession) {
  const ipc::SessionId session = reach_current();
  controller.rekey(now);
  controller.on_timer(now);
  EXPECT_EQ(take<SendInside>().size(), 1u);
  tell(ipc::EventKind::peer_silent, session);
  ASSERT_LE(controller.deadline(), now);
  controller.on_timer(now);
  EXPECT_EQ(take<SendDatagram>().size(), 1u);
}

TEST_F(Silence, EndsWhenTheFarSideIsHeard) {
  const ipc::SessionId session = reach_current();
  now += 30s;
  tell(ipc::EventKind::peer_silent, session);
  now += 5s;
  controller.on_timer(now);
  now += 5s;
  controller.on_timer(now);
  (void)controller.take_actions();
  now += 27s;
  tell(ipc::EventKind::peer_heard, session);
  const LinkStatus status = controller.status();
  EXPECT_EQ(status.state, LinkStatus::State::up);
  EXPECT_EQ(status.reason, "");
  EXPECT_EQ(status.since, now);
  EXPECT_GT(controller.deadline(), now + 60s) << "the rekey is due when it was";
  const auto notices = take<Notice>();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_TRUE(notices[0].text.ends_with("up: heard again after 47 s of silence"))
      << notices[0].text;
  tell(ipc::EventKind::peer_heard, session);
  EXPECT_TRUE(take<Notice>().empty());
}

TEST_F(Silence, EndsWithTheNextSession) {
  const ipc::SessionId first = reach_current();
  now += 30s;
  tell(ipc::EventKind::peer_silent, first);
  renew_initiator();
  const ipc::SessionId second = reach_current();
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
  EXPECT_EQ(controller.status().since, now);
  tell(ipc::EventKind::peer_silent, first);
  tell(ipc::EventKind::peer_heard, first);
  EXPECT_EQ(controller.status().state, LinkStatus::State::up) << "it is retiring";
  EXPECT_EQ(controller.status().session_id, second);
  EXPECT_EQ(controller.status().silences, 1u);
}

TEST_F(Silence, OutlivesTheControlProcess) {
  const ipc::SessionId id{std::byte{7}};
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {living(id)},
                             now);
  EXPECT_EQ(controller.status().state, LinkStatus::State::down);
  EXPECT_EQ(controller.status().since, now - 30s);
  EXPECT_EQ(controller.status().reason, "nothing heard from alpha for 10 s");
  tell(ipc::EventKind::peer_heard, id);
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
}

TEST_F(Silence, OfASessionThatNamesAnotherPeerIsNotOurs) {
  ipc::SessionInfo info = living({std::byte{7}});
  info.peer_name[0] = 'b';
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {info}, now);
  EXPECT_FALSE(controller.status().session_id);
  EXPECT_TRUE(take<Remove>().empty()) << "it may be another link's";
}

}  // namespace
}  // namespace penstock::controlplane
