// A link whose config or keys are read again, or that is to end.
#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"

namespace penstock::controlplane {
namespace {

class Reload : public Beta {
 protected:
  bool reload(const LinkConfig& next) { return controller.reconfigure(setup(next), now); }
  LinkConfig changed = config();
};

TEST_F(Reload, OfTheSameChangesNothing) {
  (void)reach_current();
  const auto due = controller.deadline();
  EXPECT_FALSE(reload(changed));
  EXPECT_TRUE(controller.take_actions().empty());
  EXPECT_EQ(controller.deadline(), due);
}

TEST_F(Reload, RekeysAtOnceWhereTheNextSessionIsAnother) {
  const ipc::SessionId session = reach_current();
  now += 30s;
  changed.tag = 24;
  changed.vlan = 7;
  EXPECT_TRUE(reload(changed));
  const auto actions = controller.take_actions();
  ASSERT_EQ(actions.size(), 1u) << "the living session is not touched";
  EXPECT_TRUE(std::get<Notice>(actions[0]).text.ends_with("changed by a reload: tag, vlan"))
      << std::get<Notice>(actions[0]).text;
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
  EXPECT_EQ(controller.status().session_id, session);
  EXPECT_EQ(controller.deadline(), now);
  EXPECT_FALSE(reload(changed));
  renew_initiator();
  EXPECT_TRUE(controller.on_datagram(session, initiator.outgoing(), now));
  ASSERT_TRUE(initiator.on_message(take<SendInside>().at(0).bytes, entropy, now));
  EXPECT_TRUE(controller.on_datagram(session, initiator.outgoing(), now));
  EXPECT_EQ(take<Install>().at(0).message->vlan, 7);
}

TEST_F(Reload, NamesWhatIsTimedSizedAndMarkedOtherwise) {
  const ipc::SessionId session = reach_current();
  changed.shape.rate = Rate{1'000'000};
  changed.mtu = 1400;
  changed.priority = PriorityBy::none;
  changed.dscp = 8;
  changed.ecn = true;
  EXPECT_TRUE(reload(changed));
  const auto actions = controller.take_actions();
  ASSERT_EQ(actions.size(), 1u);
  const std::string& text = std::get<Notice>(actions[0]).text;
  EXPECT_TRUE(text.ends_with("changed by a reload: mtu, shape, priority, dscp, ecn")) << text;
  EXPECT_EQ(controller.status().session_id, session) << "the mode is the same";
  EXPECT_EQ(controller.deadline(), now);
}

TEST_F(Reload, OfRekeyAfterCountsFromTheInstall) {
  (void)reach_current();
  now += 30s;
  changed.rekey_after = 60s;
  EXPECT_TRUE(reload(changed));
  EXPECT_GE(controller.deadline(), now + 35s);
  EXPECT_LE(controller.deadline(), now + 40s);
  changed.rekey_after = 12s;
  EXPECT_TRUE(reload(changed));
  EXPECT_LE(controller.deadline(), now);
}

TEST_F(Reload, AnotherKeyIsTriedAtOnceAndTheOldOneNoMore) {
  const ipc::SessionId session = reach_current();
  auto other = setup(changed);
  other.file_key = crypto::derive_file_key(as_bytes("another key file of at least 32 bytes"));
  EXPECT_TRUE(controller.reconfigure(std::move(other), now));
  EXPECT_EQ(controller.status().session_id, session);
  controller.on_timer(now);
  const auto message_1 = take<SendInside>();
  ASSERT_EQ(message_1.size(), 1u);
  const LinkKeys before =
      derive_link_keys(crypto::derive_file_key(as_bytes(same_key)), "beta", "alpha");
  EXPECT_FALSE(std::ranges::equal(claimed_key_id(message_1[0].bytes), before.key_id));
  renew_initiator();
  EXPECT_FALSE(controller.on_datagram(alpha, initiator.outgoing(), now));
  now += limits::attempt_life;
  controller.on_timer(now);
  EXPECT_EQ(controller.status().handshakes.last.value().story.cause, HandshakeCause::new_key);
}

TEST_F(Reload, AnAttemptOfTheOldConfigEnds) {
  controller.on_timer(now);
  const auto first = take<SendDatagram>();
  changed.endpoint.address = *parse_ip("203.0.113.9");
  EXPECT_TRUE(reload(changed));
  controller.on_timer(now);
  const auto second = take<SendDatagram>();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].to, changed.endpoint);
  EXPECT_FALSE(controller.on_datagram(alpha, refusal_of(first.at(0).bytes), now));
}

// One frame of a far side that the config just shut out would make them current.
TEST_F(Reload, WhatIsAgreedAndUnconfirmedEndsWhereTheNextSessionIsAnother) {
  const ipc::SessionId session = reach_current();
  now += 30s;
  renew_initiator();
  const Install installed = reach_install();
  controller.on_install_reply(installed.request, ipc::InstallResult::installed, now);
  (void)controller.take_actions();
  renew_initiator();
  const Install pending = reach_install();
  auto other = setup(changed);
  other.file_key = crypto::derive_file_key(as_bytes("another key file of at least 32 bytes"));
  EXPECT_TRUE(controller.reconfigure(std::move(other), now));
  const auto removed = take<Remove>();
  ASSERT_EQ(removed.size(), 2u);
  EXPECT_EQ(removed[0].session_id, installed.message->session_id);
  EXPECT_EQ(removed[1].session_id, pending.message->session_id);
  EXPECT_EQ(controller.deadline(), now) << "nothing is under way that a rekey would wait for";
  controller.on_install_reply(pending.request, ipc::InstallResult::installed, now);
  EXPECT_TRUE(take<SendDatagram>().empty()) << "no message 4";
  for (const Install* late : {&installed, &pending})
    controller.on_event(event(ipc::EventKind::session_confirmed, late->message->session_id), now);
  EXPECT_EQ(controller.status().session_id, session);
}

// The far side may send on it already: to end it would lose packets.
TEST_F(Reload, WhatIsOfOtherParametersStaysAndIsReplacedAtOnce) {
  reach_current();
  now += 30s;
  renew_initiator();
  const Install installed = reach_install();
  controller.on_install_reply(installed.request, ipc::InstallResult::installed, now);
  (void)controller.take_actions();
  changed.dead_after = 20s;
  EXPECT_TRUE(reload(changed));
  EXPECT_TRUE(take<Remove>().empty());
  controller.on_event(event(ipc::EventKind::session_confirmed, installed.message->session_id), now);
  EXPECT_EQ(controller.status().session_id, installed.message->session_id);
  ASSERT_TRUE(controller.deadline());
  EXPECT_LE(*controller.deadline(), now + limits::initiate_pause_after_answer);
}

TEST_F(Reload, OfTheAgeAloneLeavesWhatIsUnconfirmed) {
  const Install install = reach_install();
  changed.rekey_after = 60s;
  EXPECT_TRUE(reload(changed));
  EXPECT_TRUE(take<Remove>().empty());
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  EXPECT_EQ(take<SendDatagram>().size(), 1u) << "message 4";
}

TEST_F(Reload, ARetiredLinkRemovesItsSessions) {
  const ipc::SessionId session = reach_current();
  renew_initiator();
  const Install pending = reach_install();
  controller.retire(now);
  const auto actions = controller.take_actions();
  ASSERT_EQ(actions.size(), 3u);
  EXPECT_EQ(std::get<Remove>(actions[0]).session_id, pending.message->session_id);
  EXPECT_EQ(std::get<Remove>(actions[1]).session_id, session);
  EXPECT_EQ(std::get<ExpectPeer>(actions[2]).peer.port, 0);
  EXPECT_FALSE(controller.deadline());
}

class ReloadNull : public Reload {
 protected:
  static constexpr Suite null{KeyExchange::x25519, Protection::none};
};

TEST_F(ReloadNull, ASessionThatProtectsNothingEndsWithItsPermission) {
  changed.suites = {null};
  changed.tag = changed.min_tag = 0;
  EXPECT_TRUE(reload(changed));
  const auto allowed = take<Notice>();
  EXPECT_TRUE(std::ranges::any_of(allowed, [](const Notice& notice) {
    return notice.kind == Notice::Kind::error;
  })) << "the config allows NULL";
  initiator =
      Initiator{keys,
                {null},
                {.tag = 0, .min_tag = 0, .spi_base = Spi::make(1, 1, 0), .frame_size = 1400},
                entropy,
                now};
  const ipc::SessionId session = reach_current();
  EXPECT_TRUE(reload(config()));
  const auto removed = take<Remove>();
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].session_id, session);
  EXPECT_EQ(controller.status().state, LinkStatus::State::down);
}

// --- zeroize ------------------------------------------------------------------------------

class Zeroize : public Reload {};

TEST_F(Zeroize, WipesEveryKeyAndAnswersNothing) {
  const std::size_t before = secret_memory::usage().bytes_in_use;
  {
    LinkController other{setup(config()), slots, entropy, now};
    other.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {}, now);
    other.on_timer(now);
    EXPECT_GT(secret_memory::usage().bytes_in_use, before);
    other.zeroize("root", now);
    EXPECT_EQ(secret_memory::usage().bytes_in_use, before);
  }
  (void)reach_current();
  now += 30s;
  controller.zeroize("root", now);
  const LinkStatus status = controller.status();
  EXPECT_EQ(status.state, LinkStatus::State::down);
  EXPECT_EQ(status.reason, "zeroized by root; `penstock reload` or a restart loads the keys again");
  EXPECT_EQ(status.since, now);
  EXPECT_EQ(status.key.state, LinkStatus::Key::State::none);
  EXPECT_FALSE(controller.deadline());
  (void)controller.take_actions();
  renew_initiator();
  EXPECT_FALSE(controller.on_datagram(alpha, initiator.outgoing(), now));
  controller.on_unclaimed(alpha, initiator.outgoing(), now);
  controller.rekey(now);
  EXPECT_FALSE(controller.deadline());
  EXPECT_TRUE(controller.take_actions().empty());
}

TEST_F(Zeroize, OutlivesTheDataPlane) {
  controller.zeroize("root", now);
  const std::string reason = controller.status().reason;
  controller.on_dataplane_down(now);
  EXPECT_EQ(controller.status().reason, reason);
  ipc::SessionInfo info{.state = ipc::SessionState::current, .suite = x25519.code()};
  info.session_id.fill(std::byte{7});
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {info}, now);
  EXPECT_EQ(controller.status().reason, reason);
  EXPECT_EQ(controller.status().state, LinkStatus::State::down);
  EXPECT_EQ(take<Remove>().size(), 1u) << "made before the keys were wiped";
}

TEST_F(Zeroize, EndsWhenKeysAreLoaded) {
  controller.zeroize("root", now);
  EXPECT_TRUE(reload(changed));
  EXPECT_EQ(controller.status().reason, "connecting to 192.0.2.1:7670");
  ASSERT_LE(controller.deadline(), now);
  controller.on_timer(now);
  EXPECT_EQ(take<SendDatagram>().size(), 1u);
  (void)reach_current();
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
}

}  // namespace
}  // namespace penstock::controlplane
