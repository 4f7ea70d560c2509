// A link whose long-term key is being changed.
#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"

namespace penstock::controlplane {
namespace {

constexpr std::string_view new_key = "another key file of at least 32 bytes, shared";

// beta has both keys; `keys` of the base, and alpha's attempts, are the old one's.
class KeyChange : public Beta {
 protected:
  KeyChange() : Beta(both()) {}

  static LinkController::Setup both() {
    LinkConfig changing = config();
    changing.old_key_file = "old.key";
    LinkController::Setup setup = Beta::setup(changing);
    setup.old_file_key = std::move(setup.file_key);
    setup.file_key = crypto::derive_file_key(as_bytes(new_key));
    return setup;
  }
  static crypto::KeyFingerprint fingerprint_of(std::string_view key) {
    return crypto::fingerprint(crypto::derive_file_key(as_bytes(key)));
  }
  void alpha_takes_the_new_key() {
    initiator = Initiator{
        new_keys, {x25519}, {.spi_base = Spi::make(3, 3, 0), .frame_size = 1400}, entropy, now};
  }
  [[nodiscard]] static bool is_under(Bytes message_1, std::string_view key) {
    const LinkKeys starting =
        derive_link_keys(crypto::derive_file_key(as_bytes(key)), "beta", "alpha");
    return std::ranges::equal(claimed_key_id(message_1), starting.key_id);
  }
  // The keys (new, old) and routes (inside, in the clear) of the next attempts, which all meet
  // silence.
  std::string attempts() {
    std::string seen;
    for (int step = 0; step < 15; ++step) {
      now = std::max(now, *controller.deadline());
      controller.on_timer(now);
      for (const Action& action : controller.take_actions()) {
        if (const auto* inside = std::get_if<SendInside>(&action))
          seen += is_under(inside->bytes, new_key) ? 'N' : 'O';
        if (const auto* clear = std::get_if<SendDatagram>(&action))
          seen += is_under(clear->bytes, new_key) ? 'n' : 'o';
      }
      now += limits::attempt_life;
    }
    return seen;
  }

  LinkKeys new_keys = derive_link_keys(crypto::derive_file_key(as_bytes(new_key)), "alpha", "beta");
};

TEST_F(KeyChange, BothKeysAreAnswered) {
  (void)reach_current();
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
  EXPECT_EQ(controller.status().key.state, LinkStatus::Key::State::old_in_use);
  EXPECT_EQ(controller.status().key.newest, fingerprint_of(new_key));
  EXPECT_EQ(controller.status().key.old, fingerprint_of(same_key));
  alpha_takes_the_new_key();
  (void)reach_current();
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
}

TEST_F(KeyChange, ASessionUnderTheNewKeyRetiresTheOldOneOnce) {
  alpha_takes_the_new_key();
  const Install install = reach_install();
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  EXPECT_TRUE(take<RetireOldKey>().empty()) << "installed is not confirmed";
  controller.on_event(event(ipc::EventKind::session_confirmed, install.message->session_id), now);
  unsigned retired = 0;
  unsigned audited = 0;
  for (const Action& action : controller.take_actions()) {
    if (const auto* retire = std::get_if<RetireOldKey>(&action)) {
      ++retired;
      EXPECT_EQ(retire->old_key, fingerprint_of(same_key));
    }
    if (const auto* audit = std::get_if<Audit>(&action)) {
      ++audited;
      EXPECT_EQ(audit->event, "key_rotated");
    }
  }
  EXPECT_EQ(retired, 1u);
  EXPECT_EQ(audited, 1u);
  EXPECT_EQ(controller.status().key.state, LinkStatus::Key::State::new_proved);
  EXPECT_EQ(controller.status().key.old, fingerprint_of(same_key));
  controller.on_old_key_retired(fingerprint_of(same_key));
  // Not accepted any more, and not offered.
  renew_initiator();
  EXPECT_FALSE(controller.on_datagram(alpha, initiator.outgoing(), now));
  controller.rekey(now);
  EXPECT_EQ(attempts().substr(0, 6), "NNNnNn");
  alpha_takes_the_new_key();
  (void)reach_current();
  EXPECT_TRUE(take<RetireOldKey>().empty());
}

TEST_F(KeyChange, WhatIsUnderWayUnderTheOldKeyEndsWithIt) {
  const Install late = reach_install();
  alpha_takes_the_new_key();
  const Install install = reach_install();
  const Install waiting = [&] {
    renew_initiator();
    return reach_install();
  }();
  controller.on_install_reply(late.request, ipc::InstallResult::installed, now);
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  (void)controller.take_actions();
  controller.on_event(event(ipc::EventKind::session_confirmed, install.message->session_id), now);
  const auto removed = take<Remove>();
  ASSERT_EQ(removed.size(), 2u);
  EXPECT_EQ(removed[0].session_id, late.message->session_id);
  EXPECT_EQ(removed[1].session_id, waiting.message->session_id);
}

TEST_F(KeyChange, ARetirementIsAskedForUntilItIsWritten) {
  alpha_takes_the_new_key();
  (void)reach_current();
  EXPECT_FALSE(controller.reconfigure(both(), now)) << "a reload brings the old key back: dropped";
  EXPECT_EQ(take<RetireOldKey>().size(), 1u);
  EXPECT_EQ(controller.status().key.state, LinkStatus::Key::State::new_proved);
  renew_initiator();
  EXPECT_FALSE(controller.on_datagram(alpha, initiator.outgoing(), now)) << "under the old key";
  alpha_takes_the_new_key();
  const Install install = reach_install();
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  controller.on_event(event(ipc::EventKind::session_confirmed, install.message->session_id), now);
  const auto again = take<RetireOldKey>();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].old_key, fingerprint_of(same_key));
  controller.on_old_key_retired(fingerprint_of(same_key));
  alpha_takes_the_new_key();
  const Install next = reach_install();
  controller.on_install_reply(next.request, ipc::InstallResult::installed, now);
  controller.on_event(event(ipc::EventKind::session_confirmed, next.message->session_id), now);
  EXPECT_TRUE(take<RetireOldKey>().empty());
}

TEST_F(KeyChange, AKeyThatTheOperatorRestoredIsAccepted) {
  alpha_takes_the_new_key();
  (void)reach_current();
  controller.on_old_key_retired(fingerprint_of(same_key));
  auto written = both();
  written.old_file_key.reset();  // as the shell reads it from then on
  EXPECT_FALSE(controller.reconfigure(std::move(written), now));
  EXPECT_EQ(controller.status().key.old, fingerprint_of(same_key));
  EXPECT_TRUE(controller.reconfigure(both(), now));
  EXPECT_EQ(controller.status().key.state, LinkStatus::Key::State::old_in_use);
  renew_initiator();
  (void)reach_current();
  EXPECT_TRUE(take<RetireOldKey>().empty());
}

TEST_F(KeyChange, EachRekeyTriesTheNewKeyFirst) {
  (void)reach_current();
  controller.rekey(now);
  controller.on_timer(now);
  EXPECT_TRUE(is_under(take<SendInside>().at(0).bytes, new_key));
  now += limits::attempt_life;
  controller.on_timer(now);
  EXPECT_FALSE(is_under(take<SendInside>().at(0).bytes, new_key)) << "and then, at once, the old";
  EXPECT_EQ(controller.status().handshakes.failed_by.at(
                static_cast<std::size_t>(HandshakeFailure::new_key_unanswered)),
            1u);
  EXPECT_EQ(controller.status().reason, "") << "that is no trouble";
}

// The far side has lost its session, and may have either key.
TEST_F(KeyChange, BothKeysAreTriedInsideAndInTheClear) {
  (void)reach_current();
  controller.rekey(now);
  const std::string seen = attempts();
  EXPECT_TRUE(seen.starts_with("NONONO")) << seen;
  EXPECT_NE(seen.find("no"), std::string::npos) << seen;
}

TEST_F(KeyChange, ANewKeyThatIsAnsweredStaysInTurn) {
  controller.on_timer(now);
  const auto message_1 = take<SendDatagram>();
  ASSERT_TRUE(is_under(message_1.at(0).bytes, new_key));
  const LinkKeys answering =
      derive_link_keys(crypto::derive_file_key(as_bytes(new_key)), "beta", "alpha");
  const Message message_2 = write_message_2(
      {.h1 = crypto::sha256({message_1[0].bytes}), .suite = x25519.code()}, answering.k2);
  EXPECT_TRUE(controller.on_datagram(alpha, message_2, now));
  now += limits::attempt_life;
  controller.on_timer(now);
  (void)controller.take_actions();
  now = *controller.deadline();
  controller.on_timer(now);
  EXPECT_TRUE(is_under(take<SendDatagram>().at(0).bytes, new_key));
}

}  // namespace
}  // namespace penstock::controlplane
