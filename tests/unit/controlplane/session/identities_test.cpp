// Identities and downgrades as a link handles them: beta pins alpha.
#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"

#include "controlplane/handshake/responder.hpp"

namespace penstock::controlplane {
namespace {

using KeyPointer = std::shared_ptr<const crypto::IdentityKey>;

KeyPointer new_key() {
  return std::make_shared<const crypto::IdentityKey>(crypto::IdentityKey::generate());
}

class PinnedLink : public Beta {
 protected:
  struct Keys {
    KeyPointer alpha = new_key();
    KeyPointer beta = new_key();
  };

  PinnedLink() : PinnedLink(Keys{}) {}
  explicit PinnedLink(const Keys& both)
      : Beta(pinned(both)), identities{both}, alphas{both.alpha, both.beta->public_key()} {}

  static LinkController::Setup pinned(const Keys& both) {
    LinkController::Setup setup = Beta::setup(config());
    setup.config.peer_identity = both.alpha->public_key();
    setup.identity = both.beta;
    return setup;
  }
  // Messages 1 to 3 of one who has `identity`, or none.
  Message message_3_of(const Identity* identity) {
    initiator = Initiator{keys,    {x25519}, {.spi_base = Spi::make(2, 2, 0), .frame_size = 1400},
                          entropy, now,      identity};
    EXPECT_TRUE(controller.on_datagram(alpha, initiator.outgoing(), now));
    EXPECT_TRUE(initiator.on_message(take<SendDatagram>().at(0).bytes, entropy, now));
    return initiator.outgoing();
  }
  template <class T>
  static std::vector<T> only(std::vector<Action> actions) {
    std::vector<T> found;
    for (Action& action : actions)
      if (T* wanted = std::get_if<T>(&action)) found.push_back(std::move(*wanted));
    return found;
  }

  Keys identities;
  Identity alphas;
};

TEST_F(PinnedLink, TakesWhoItPins) {
  ASSERT_TRUE(controller.on_datagram(alpha, message_3_of(&alphas), now));
  EXPECT_EQ(take<Install>().size(), 1u);
}

TEST_F(PinnedLink, RefusesAHolderOfTheKeyAndTellsBothOperators) {
  const LinkStatus before = controller.status();
  ASSERT_TRUE(controller.on_datagram(alpha, message_3_of(nullptr), now));
  std::vector<Action> actions = controller.take_actions();
  ASSERT_EQ(actions.size(), 3u) << "nothing is installed";
  const auto& answer = std::get<SendDatagram>(actions[0]);
  EXPECT_EQ(answer.to, alpha);
  ASSERT_TRUE(initiator.on_message(answer.bytes, entropy, now));
  EXPECT_EQ(initiator.refusal(), Refusal::identity);
  EXPECT_NE(std::get<Notice>(actions[1]).text.find("shows no identity"), std::string::npos);
  EXPECT_EQ(std::get<Audit>(actions[2]).event, "peer_refused");
  const LinkStatus after = controller.status();
  EXPECT_NE(after.reason.find("refused here: the far side shows no identity"), std::string::npos);
  EXPECT_EQ(after.messages_refused, before.messages_refused + 1);
  EXPECT_EQ(after.handshakes_failed, before.handshakes_failed);
}

// Who holds the key alone may talk all day, and beta's own attempt goes on as if he did not.
TEST_F(PinnedLink, AHolderOfTheKeyDoesNotDisturbItsOwnAttempt) {
  controller.on_timer(now);
  const auto own = take<SendDatagram>();
  ASSERT_EQ(own.size(), 1u);
  const auto due = controller.deadline();
  unsigned told = 0;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(controller.on_datagram(alpha, message_3_of(nullptr), now));
    std::vector<Action> actions = controller.take_actions();
    told += static_cast<unsigned>(only<Notice>(std::move(actions)).size());
  }
  EXPECT_EQ(told, 1u);
  EXPECT_EQ(controller.deadline(), due);
  EXPECT_EQ(controller.status().state, LinkStatus::State::connecting);
  // Its attempt still takes its message 2.
  const LinkKeys from_beta =
      derive_link_keys(crypto::derive_file_key(as_bytes(same_key)), "beta", "alpha");
  const Responder honest{from_beta, {x25519}, entropy};
  const auto message_2 = honest.on_message_1(alpha, own[0].bytes, entropy, now);
  ASSERT_TRUE(message_2);
  ASSERT_TRUE(controller.on_datagram(alpha, *message_2, now));
  EXPECT_EQ(take<SendDatagram>().size(), 1u) << "message 3";
}

TEST_F(PinnedLink, ALivingSessionIsNotTouched) {
  ASSERT_TRUE(controller.on_datagram(alpha, message_3_of(&alphas), now));
  auto installs = take<Install>();
  ASSERT_EQ(installs.size(), 1u);
  const ipc::SessionId id = installs[0].message->session_id;
  controller.on_install_reply(installs[0].request, ipc::InstallResult::installed, now);
  controller.on_event(event(ipc::EventKind::session_confirmed, id), now);
  (void)controller.take_actions();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(controller.on_datagram(alpha, message_3_of(nullptr), now));
    ASSERT_TRUE(only<Install>(controller.take_actions()).empty());
  }
  EXPECT_EQ(controller.status().session_id, id);
  EXPECT_EQ(controller.status().reason, "");
}

// --- downgrades ---------------------------------------------------------------------------

// In the middle with k1 and k2: alpha's offer loses its first suite, and every MAC is made anew.
TEST_F(Beta, AStrippedOfferIsCalledADowngrade) {
  initiator = Initiator{keys, {modp2048, x25519}, {.spi_base = Spi::make(2, 2, 0)}, entropy, now};
  Message1 offer = read_message_1(initiator.outgoing(), keys.k1).value();
  offer.suites = {x25519.code()};
  const Message changed = write_message_1(offer, keys.k1);
  ASSERT_TRUE(controller.on_datagram(alpha, changed, now));
  const auto sent = take<SendDatagram>();
  const MessageView message_2 = check_envelope(sent.at(0).bytes, PacketType::handshake_2).value();
  Message2 choice = read_message_2(message_2, keys.k2).value();
  const crypto::Digest changed_h1 = choice.h1;
  choice.h1 = hash(initiator.outgoing());
  ASSERT_TRUE(initiator.on_message(write_message_2(choice, keys.k2), entropy, now));
  Message message_3 = initiator.outgoing();
  std::ranges::copy(changed_h1, message_3.begin() + 44);  // for the cookie

  ASSERT_TRUE(controller.on_datagram(alpha, message_3, now));
  std::vector<Action> actions = controller.take_actions();
  ASSERT_EQ(actions.size(), 2u) << "no answer, no session";
  EXPECT_NE(std::get<Notice>(actions[0]).text.find("downgrade"), std::string::npos);
  EXPECT_EQ(std::get<Audit>(actions[1]).event, "peer_refused");
  EXPECT_EQ(controller.status().messages_refused, 1u);
}

}  // namespace
}  // namespace penstock::controlplane
