// What a link tells of its handshakes: the last one, and what failed and was refused, by name.
#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"

namespace penstock::controlplane {
namespace {

class Observed : public Beta {
 protected:
  [[nodiscard]] LastHandshake last() const { return controller.status().handshakes.last.value(); }
  [[nodiscard]] std::uint64_t failed(HandshakeFailure failure) const {
    return controller.status().handshakes.failed_by.at(static_cast<std::size_t>(failure));
  }
  [[nodiscard]] std::uint64_t refused(Verdict verdict) const {
    return controller.status().handshakes.messages_refused_by.at(static_cast<std::size_t>(verdict));
  }
  // Starts what is due, and lets it meet silence.
  void attempt() {
    now = std::max(now, *controller.deadline());
    controller.on_timer(now);
    (void)controller.take_actions();
    now += limits::attempt_life;
    controller.on_timer(now);
  }
};

TEST_F(Observed, AnAnsweredHandshake) {
  const Install install = reach_install();
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  EXPECT_FALSE(controller.status().handshakes.last) << "nothing came of it yet";
  now += 30ms;
  controller.on_event(event(ipc::EventKind::session_confirmed, install.message->session_id), now);
  EXPECT_EQ(last().story.cause, HandshakeCause::peer);
  EXPECT_EQ(last().story.role, ipc::Role::responder);
  EXPECT_EQ(last().story.suite, x25519);
  EXPECT_FALSE(last().story.is_inside);
  EXPECT_FALSE(last().failure);
  EXPECT_EQ(last().ended - last().story.started, 30ms);
}

TEST_F(Observed, EachCauseHasItsName) {
  attempt();
  EXPECT_EQ(last().story.cause, HandshakeCause::first);
  EXPECT_EQ(last().story.role, ipc::Role::initiator);
  EXPECT_FALSE(last().story.is_inside);
  EXPECT_EQ(last().failure, HandshakeFailure::no_answer);
  const ipc::SessionId session = reach_current();
  attempt();
  EXPECT_EQ(last().story.cause, HandshakeCause::age);
  EXPECT_TRUE(last().story.is_inside);
  controller.rekey(now);
  attempt();
  EXPECT_EQ(last().story.cause, HandshakeCause::by_operator);
  controller.on_event(event(ipc::EventKind::peer_silent, session), now);
  attempt();
  EXPECT_EQ(last().story.cause, HandshakeCause::silence);
  EXPECT_EQ(failed(HandshakeFailure::no_answer), 4u);
  EXPECT_EQ(controller.status().handshakes_failed, 4u);
}

TEST_F(Observed, ALimitIsACause) {
  const ipc::SessionId session = reach_current();
  controller.on_event(event(ipc::EventKind::rekey_wanted, session), now);
  now += 10s;
  attempt();
  EXPECT_EQ(last().story.cause, HandshakeCause::limit);
}

TEST_F(Observed, ARefusalByTheFarSide) {
  controller.on_timer(now);
  const Message refusal = refusal_of(take<SendDatagram>().at(0).bytes);
  EXPECT_TRUE(controller.on_datagram(alpha, refusal, now));
  EXPECT_EQ(failed(HandshakeFailure::refused_by_far_side), 1u);
  EXPECT_EQ(controller.status().handshakes.refused_by_far_side.at(1), 1u);
  EXPECT_TRUE(last().why.starts_with("refused by the far side: no common suite")) << last().why;
}

TEST_F(Observed, AnInstallThatFailsAndASessionThatNobodySpeaksOn) {
  Install install = reach_install();
  controller.on_install_reply(install.request, ipc::InstallResult::no_memory, now);
  EXPECT_EQ(failed(HandshakeFailure::install_refused), 1u);
  renew_initiator();
  install = reach_install();
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  controller.on_event({.kind = ipc::EventKind::session_removed,
                       .detail = static_cast<std::uint32_t>(ipc::RemovalReason::unconfirmed),
                       .session_id = install.message->session_id},
                      now);
  EXPECT_EQ(failed(HandshakeFailure::unconfirmed), 1u);
  EXPECT_EQ(last().failure, HandshakeFailure::unconfirmed);
}

TEST_F(Observed, WhatNobodyClaimsIsCountedWhereItCameFromTheFarSide) {
  const LinkKeys others = derive_link_keys(crypto::derive_file_key(as_bytes("x")), "alpha", "beta");
  Initiator other{others, {x25519}, {}, entropy, now};
  const Endpoint elsewhere{.address = *parse_ip("203.0.113.9"), .port = 9};
  controller.on_unclaimed(elsewhere, other.outgoing(), now);
  EXPECT_EQ(refused(Verdict::unknown_key), 0u);
  controller.on_unclaimed(alpha, other.outgoing(), now);
  EXPECT_EQ(refused(Verdict::unknown_key), 1u);
  const Message late = write_message_2({.suite = x25519.code()}, keys.k2);
  controller.on_unclaimed(alpha, late, now);
  EXPECT_EQ(refused(Verdict::not_ours), 1u);
  controller.on_unclaimed(alpha, Bytes{late}.first(9), now);
  EXPECT_EQ(refused(Verdict::bad_length), 1u);
  EXPECT_EQ(controller.status().messages_refused, 2u) << "a late one is no offence";
}

TEST_F(Observed, WhatNobodyClaimsIsCountedInsideASession) {
  const ipc::SessionId session = reach_current();
  const LinkKeys others = derive_link_keys(crypto::derive_file_key(as_bytes("x")), "alpha", "beta");
  Initiator other{others, {x25519}, {}, entropy, now};
  EXPECT_TRUE(controller.on_datagram(session, other.outgoing(), now));
  EXPECT_EQ(refused(Verdict::unknown_key), 1u);
  const auto notices = take<Notice>();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].text.find("also tries a key that this site does not hold"),
            std::string::npos);
}

TEST_F(Observed, ALateCookieIsCounted) {
  EXPECT_TRUE(controller.on_datagram(alpha, initiator.outgoing(), now));
  ASSERT_TRUE(initiator.on_message(take<SendDatagram>().at(0).bytes, entropy, now));
  now += 2 * limits::cookie_life;
  EXPECT_TRUE(controller.on_datagram(alpha, initiator.outgoing(), now));
  EXPECT_EQ(refused(Verdict::stale_cookie), 1u);
  EXPECT_EQ(controller.status().messages_refused, 0u);
}

}  // namespace
}  // namespace penstock::controlplane
