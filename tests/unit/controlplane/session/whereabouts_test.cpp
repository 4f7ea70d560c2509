// Where the far side is: an address that changes, a name, or nothing said.
#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"

namespace penstock::controlplane {
namespace {

const Endpoint elsewhere{.address = *parse_ip("203.0.113.9"), .port = 9};

class Whereabouts : public Beta {
 protected:
  explicit Whereabouts(const LinkConfig& config) : Beta(setup(config)) {}
  void move(const ipc::SessionId& id, const Endpoint& to) {
    ipc::Event moved = event(ipc::EventKind::peer_moved, id);
    moved.peer = ipc::to_wire(to);
    controller.on_event(moved, now);
  }
};

// --- an address that changes --------------------------------------------------------------

LinkConfig roaming(LinkConfig config) {
  config.roam = true;
  return config;
}

class Roaming : public Whereabouts {
 protected:
  Roaming() : Whereabouts(roaming(config())) {}
};

TEST_F(Roaming, AMoveIsSaidAndAudited) {
  const ipc::SessionId session = reach_current();
  move(session, elsewhere);
  const auto actions = controller.take_actions();
  ASSERT_EQ(actions.size(), 3u);
  EXPECT_TRUE(std::get<Notice>(actions[0])
                  .text.ends_with("the far side moved from 192.0.2.1:7670 to 203.0.113.9:9"));
  EXPECT_EQ(std::get<Audit>(actions[1]).event, "peer_moved");
  EXPECT_EQ(std::get<ExpectPeer>(actions[2]).peer, elsewhere);
  for (std::uint16_t port = 10; port < 20; ++port)
    move(session, {.address = elsewhere.address, .port = port});
  EXPECT_TRUE(take<Notice>().empty()) << "once a minute";
}

TEST_F(Roaming, TheNextSessionGoesWhereTheOneBeforeGoes) {
  const ipc::SessionId session = reach_current();
  move(session, elsewhere);
  renew_initiator();
  EXPECT_TRUE(controller.on_datagram(session, initiator.outgoing(), now));
  ASSERT_TRUE(initiator.on_message(take<SendInside>().at(0).bytes, entropy, now));
  EXPECT_TRUE(controller.on_datagram(session, initiator.outgoing(), now));
  const auto installs = take<Install>();
  ASSERT_EQ(installs.size(), 1u);
  EXPECT_EQ(ipc::from_wire(installs[0].message->peer), elsewhere);
}

TEST_F(Roaming, ASessionThatLeadsElsewhereCarriesTheRekey) {
  const ipc::SessionId session = reach_current(elsewhere);
  controller.rekey(now);
  controller.on_timer(now);
  const auto sent = take<SendInside>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].session_id, session);
}

TEST_F(Roaming, SilenceIsMetAtTheEndpoint) {
  const ipc::SessionId session = reach_current();
  move(session, elsewhere);
  (void)controller.take_actions();
  controller.on_event(event(ipc::EventKind::peer_silent, session), now);
  controller.on_timer(now);
  const auto actions = controller.take_actions();
  ASSERT_EQ(actions.size(), 3u);
  EXPECT_EQ(std::get<SendDatagram>(actions[1]).to, alpha);
  EXPECT_EQ(std::get<ExpectPeer>(actions[2]).peer, alpha);
}

// --- nothing said -------------------------------------------------------------------------

LinkConfig unsaid(LinkConfig config) {
  config.roam = true;
  config.endpoint = Endpoint{};
  return config;
}

class Unsaid : public Whereabouts {
 protected:
  Unsaid() : Whereabouts(unsaid(config())) {}
};

TEST_F(Unsaid, TheLinkWaits) {
  EXPECT_FALSE(controller.deadline());
  EXPECT_EQ(controller.status().reason, "waiting for alpha to come");
  EXPECT_EQ(controller.status().state, LinkStatus::State::down);
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {}, now);
  const auto expected = take<ExpectPeer>();
  ASSERT_EQ(expected.size(), 1u);
  EXPECT_EQ(expected[0].peer.port, 0);
}

TEST_F(Unsaid, AnswersAndRekeysInside) {
  const ipc::SessionId session = reach_current(elsewhere);
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
  controller.rekey(now);
  for (int attempt = 0; attempt < 6; ++attempt) {
    now = *controller.deadline();
    controller.on_timer(now);
    EXPECT_EQ(take<SendInside>().size(), 1u) << "the only way: attempt " << attempt;
    now += limits::attempt_life;
    controller.on_timer(now);
    (void)controller.take_actions();
  }
  controller.on_event(event(ipc::EventKind::peer_silent, session), now);
  controller.on_timer(now);
  EXPECT_EQ(take<SendInside>().size(), 1u) << "nothing else is possible";
  controller.on_event({.kind = ipc::EventKind::session_removed,
                       .detail = static_cast<std::uint32_t>(ipc::RemovalReason::max_age),
                       .session_id = session},
                      now);
  EXPECT_FALSE(controller.deadline());
  EXPECT_EQ(controller.status().reason,
            "the session reached its maximum age; waiting for alpha to come");
}

TEST_F(Unsaid, ExpectsTheFarSideWhereItsSessionGoes) {
  const Install install = reach_install(elsewhere);
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  EXPECT_TRUE(take<ExpectPeer>().empty());
  controller.on_event(event(ipc::EventKind::session_confirmed, install.message->session_id), now);
  const auto expected = take<ExpectPeer>();
  ASSERT_EQ(expected.size(), 1u);
  EXPECT_EQ(expected[0].peer, elsewhere);
}

// --- a name -------------------------------------------------------------------------------

LinkConfig named(LinkConfig config) {
  config.endpoint.address = IpAddress{};
  config.endpoint_name = "alpha.example";
  return config;
}

class Named : public Whereabouts {
 protected:
  Named() : Whereabouts(named(config())) {}
  // Up to the first look-up.
  void reach_asked() {
    controller.on_dataplane_down(now);
    now += limits::resolve_again;
    controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {}, now);
    const auto asked = take<Resolve>();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].host, "alpha.example");
  }
  // ... and to the one before the second attempt, which is due now.
  void reach_asked_again() {
    reach_asked();
    controller.on_resolved(alpha.address, now);
    controller.on_timer(now);
    now += limits::attempt_life;
    controller.on_timer(now);
    (void)controller.take_actions();
    now = *controller.deadline();
    controller.on_timer(now);
    EXPECT_EQ(take<Resolve>().size(), 1u);
  }
};

TEST_F(Named, IsLookedUpBeforeTheFirstAttempt) {
  reach_asked();
  EXPECT_EQ(controller.deadline(), now + limits::resolve_again) << "waits for the answer";
  controller.on_timer(now);
  EXPECT_TRUE(controller.take_actions().empty());
  controller.on_resolved(alpha.address, now);
  ASSERT_LE(controller.deadline(), now);
  controller.on_timer(now);
  const auto actions = controller.take_actions();
  ASSERT_EQ(actions.size(), 3u);
  EXPECT_TRUE(std::get<Notice>(actions[0]).text.ends_with("alpha.example is at 192.0.2.1:7670"));
  EXPECT_EQ(std::get<SendDatagram>(actions[1]).to, alpha);
  EXPECT_EQ(std::get<ExpectPeer>(actions[2]).peer, alpha);
}

TEST_F(Named, ThatHasNoAddressIsSaidAndAskedAgain) {
  reach_asked();
  controller.on_resolved(std::nullopt, now);
  EXPECT_TRUE(controller.status().reason.starts_with("cannot find the address of alpha.example"))
      << controller.status().reason;
  const IpAddress version_6 = *parse_ip("2001:db8::1");
  controller.on_resolved(version_6, now);
  controller.on_timer(now);
  EXPECT_TRUE(take<SendDatagram>().empty());
  EXPECT_EQ(controller.deadline(), now + limits::resolve_again);
  now += limits::resolve_again;
  controller.on_timer(now);
  EXPECT_EQ(take<Resolve>().size(), 1u);
}

TEST_F(Named, IsLookedUpAgainBeforeLaterAttempts) {
  reach_asked_again();
  controller.on_resolved(elsewhere.address, now);
  const auto notices = take<Notice>();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_TRUE(notices[0].text.ends_with(
      "alpha.example is at 203.0.113.9:7670 now, no longer at 192.0.2.1:7670"));
  controller.on_timer(now);
  EXPECT_EQ(take<SendDatagram>().at(0).to.address, elsewhere.address);
}

TEST_F(Named, AnOldAddressServesWhereTheResolverIsSilent) {
  reach_asked_again();
  now += limits::resolve_again;
  controller.on_timer(now);
  EXPECT_EQ(take<SendDatagram>().at(0).to, alpha);
}

TEST_F(Named, RekeysInsideWithoutALookUp) {
  reach_asked();
  controller.on_resolved(alpha.address, now);
  (void)reach_current();
  now += 60s;
  controller.rekey(now);
  controller.on_timer(now);
  EXPECT_EQ(take<SendInside>().size(), 1u);
}

}  // namespace
}  // namespace penstock::controlplane
