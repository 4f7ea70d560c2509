// Identities in the handshake: who holds the shared key alone poses as nobody.
#include "controlplane/handshake/identity.hpp"

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/handshake/pair.hpp"

namespace penstock::controlplane {
namespace {

using State = Initiator::State;

std::shared_ptr<const crypto::IdentityKey> new_key() {
  return std::make_shared<const crypto::IdentityKey>(crypto::IdentityKey::generate());
}

// alpha and beta know each other; mallory holds the same shared key, and a key of her own.
struct Identities : testing::Test {
  std::shared_ptr<const crypto::IdentityKey> alpha_key = new_key();
  std::shared_ptr<const crypto::IdentityKey> beta_key = new_key();
  std::shared_ptr<const crypto::IdentityKey> mallorys_key = new_key();
  Identity alpha{alpha_key, beta_key->public_key()};
  Identity beta{beta_key, alpha_key->public_key()};

  static IdentityFault fault_of(const std::expected<Responder::Message3Result, Verdict>& result) {
    EXPECT_TRUE(result && std::holds_alternative<RefusedMessage3>(*result));
    return std::get<RefusedMessage3>(*result).fault;
  }
  // What beta finds wrong with the message 3 of an attempt by one who has `theirs`.
  IdentityFault fault_in_3(const Identity* theirs, const Identity* own) {
    Pair pair({.alpha_identity = theirs, .beta_identity = own});
    const auto result = pair.to_beta_3(pair.reach_message_3());
    EXPECT_EQ(pair.beta_entropy.keys_made, 0u) << "no Diffie-Hellman";
    return fault_of(result);
  }
  // What alpha finds wrong with the message 4 of one who has `theirs` and takes anything.
  IdentityFault fault_in_4(const Identity* theirs, const Identity* own) {
    Pair pair({.alpha_identity = own});
    EXPECT_TRUE(pair.to_alpha(carefree_message_4(pair, pair.reach_message_3(), theirs)));
    EXPECT_EQ(pair.initiator.state(), State::refused);
    EXPECT_EQ(pair.initiator.refusal(), Refusal::identity);
    EXPECT_TRUE(pair.initiator.is_refused_here());
    return pair.initiator.identity_fault().value();
  }
  // By an R that holds the key and checks nothing. `change` comes before sealing.
  static Message carefree_message_4(
      Pair& pair, const Message& message_3, const Identity* identity,
      const std::function<void(Parameters&, const crypto::Digest& t3)>& change = {}) {
    const Message3 asked = read_message_3(message_3);
    const auto keys = crypto::derive_exchange_keys(pair.beta_keys.link_key, asked.nonce_initiator,
                                                   asked.nonce_responder);
    const Message message_2 = write_message_2({.h1 = asked.h1,
                                               .nonce_responder = asked.nonce_responder,
                                               .cookie = asked.cookie,
                                               .suite = asked.suite},
                                              pair.beta_keys.k2);
    const crypto::Digest t3 = chain(chain(asked.h1, message_2), message_3);
    const auto ephemeral = pair.beta_entropy.ephemeral_key(KeyExchange::x25519);
    const auto shared = ephemeral.agree(Bytes{asked.y}.first(32));
    const auto secret = crypto::derive_session_secret(
        pair.beta_keys.link_key, asked.nonce_initiator, asked.nonce_responder, shared->reveal());
    Parameters said = pair.beta_parameters;
    if (change) change(said, t3);
    return write_message_4(
        {.nonce_initiator = asked.nonce_initiator, .y = to_field(ephemeral.public_value())}, said,
        crypto::derive_message_4_seal(secret, t3, ephemeral.public_value()), keys.dhmac_responder,
        t3, identity);
  }
};

// alpha's message 3, made again by one who holds the shared key, with other parameters.
struct Forger {
  explicit Forger(Pair& its_pair)
      : pair(its_pair),
        good(its_pair.reach_message_3()),
        fields(read_message_3(good)),
        keys(crypto::derive_exchange_keys(its_pair.alpha_keys.link_key, fields.nonce_initiator,
                                          fields.nonce_responder)),
        t2(chain(fields.h1, write_message_2({.h1 = fields.h1,
                                             .nonce_responder = fields.nonce_responder,
                                             .cookie = fields.cookie,
                                             .suite = fields.suite},
                                            its_pair.alpha_keys.k2))) {}

  [[nodiscard]] Parameters shown() const { return open_parameters(good, keys.k3).value(); }
  [[nodiscard]] Message message_3(const Parameters& said) const {
    return write_message_3(fields, said, keys.k3, keys.dhmac_initiator, t2);
  }

  Pair& pair;
  Message good;
  Message3 fields;
  crypto::ExchangeKeys keys;
  crypto::Digest t2;
};

TEST_F(Identities, TwoWhoKnowEachOtherMakeASession) {
  Pair pair({.alpha_identity = &alpha, .beta_identity = &beta});
  Answer answer = pair.answer_to(pair.reach_message_3());
  ASSERT_TRUE(answer.agreement);
  ASSERT_TRUE(pair.to_alpha(answer.message));
  ASSERT_EQ(pair.initiator.state(), State::agreed);
  const Agreement agreement = pair.initiator.take_agreement();
  EXPECT_EQ(agreement.session_id, answer.agreement->session_id);
  EXPECT_EQ(agreement.peer.identity->key, beta_key->public_key());
  EXPECT_EQ(answer.agreement->peer.identity->key, alpha_key->public_key());
  EXPECT_FALSE(pair.initiator.identity_fault());
}

TEST_F(Identities, EachFaultOfMessage3HasItsName) {
  const Identity others_key{mallorys_key, beta_key->public_key()};
  const Identity pins_another{alpha_key, mallorys_key->public_key()};
  EXPECT_EQ(fault_in_3(nullptr, &beta), IdentityFault::missing);
  EXPECT_EQ(fault_in_3(&alpha, nullptr), IdentityFault::unexpected);
  EXPECT_EQ(fault_in_3(&others_key, &beta), IdentityFault::other_key);
  EXPECT_EQ(fault_in_3(&pins_another, &beta), IdentityFault::bad_signature)
      << "alpha signed for another R";
}

TEST_F(Identities, EachFaultOfMessage4HasItsName) {
  const Identity others_key{mallorys_key, alpha_key->public_key()};
  const Identity pins_another{beta_key, mallorys_key->public_key()};
  EXPECT_EQ(fault_in_4(nullptr, &alpha), IdentityFault::missing);
  EXPECT_EQ(fault_in_4(&beta, nullptr), IdentityFault::unexpected);
  EXPECT_EQ(fault_in_4(&others_key, &alpha), IdentityFault::other_key);
  EXPECT_EQ(fault_in_4(&pins_another, &alpha), IdentityFault::bad_signature);
}

TEST_F(Identities, ARefusedMessage3IsAnsweredByAMessage2ThatSaysSo) {
  Pair pair({.beta_identity = &beta});
  const Message message_3 = pair.reach_message_3();
  const auto result = pair.to_beta_3(message_3).value();
  const Message refusal = std::get<RefusedMessage3>(result).message_2;
  EXPECT_EQ(std::get<RefusedMessage3>(pair.to_beta_3(message_3).value()).message_2, refusal)
      << "a resend gets the same bytes";
  ASSERT_TRUE(pair.initiator.is_for_us(refusal));
  ASSERT_TRUE(pair.to_alpha(refusal));
  EXPECT_EQ(pair.initiator.state(), State::refused);
  EXPECT_EQ(pair.initiator.refusal(), Refusal::identity);
  EXPECT_FALSE(pair.initiator.is_refused_here());
}

TEST_F(Identities, OnlyThatMessage2IsListenedToAfterMessage3) {
  Pair pair({.alpha_identity = &alpha, .beta_identity = &beta});
  const crypto::Digest h1 = hash(pair.initiator.outgoing());
  (void)pair.reach_message_3();
  const auto still_waits = [&](const Message2& fields, const crypto::HandshakeMac& key) {
    return pair.to_alpha(write_message_2(fields, key)) == std::unexpected{Verdict::bad_type} &&
           pair.initiator.state() == State::awaiting_4;
  };
  const crypto::HandshakeMac& k2 = pair.alpha_keys.k2;
  EXPECT_TRUE(still_waits({.h1 = h1, .reason = Refusal::suite}, k2));
  EXPECT_TRUE(still_waits({.h1 = h1, .suite = 0x0101, .reason = Refusal::identity}, k2));
  EXPECT_TRUE(still_waits({.reason = Refusal::identity}, k2)) << "of another attempt";
  EXPECT_TRUE(still_waits({.h1 = h1, .reason = Refusal::identity}, pair.alpha_keys.k1));
}

// One who holds the shared key changes what alpha shows, and makes h anew.

TEST_F(Identities, AStrippedIdentityIsMissed) {
  Pair pair({.alpha_identity = &alpha, .beta_identity = &beta});
  const Forger forger{pair};
  Parameters said = forger.shown();
  said.identity.reset();
  EXPECT_EQ(fault_of(pair.to_beta_3(forger.message_3(said))), IdentityFault::missing);
  EXPECT_TRUE(std::holds_alternative<ProvenMessage3>(pair.to_beta_3(forger.good).value()));
}

TEST_F(Identities, EveryChangedBitOfAnIdentityIsRefused) {
  Pair pair({.alpha_identity = &alpha, .beta_identity = &beta});
  const Forger forger{pair};
  for (std::size_t bit = 0; bit < 96 * 8; bit += 7) {
    ParameterBytes bytes = write_parameters(forger.shown());
    bytes[16 + bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    const bool is_in_key = bit < 32 * 8;
    if (!is_in_key) pair.now += 100ms;  // the next signature check
    ASSERT_EQ(fault_of(pair.to_beta_3(forger.message_3(read_parameters(bytes)))),
              is_in_key ? IdentityFault::other_key : IdentityFault::bad_signature)
        << bit;
  }
  EXPECT_EQ(pair.beta_entropy.keys_made, 0u);
}

TEST_F(Identities, ASignatureIsForOneMessage3) {
  Pair pair({.alpha_identity = &alpha, .beta_identity = &beta});
  Forger forger{pair};
  forger.fields.y[3] ^= std::byte{1};  // the forger's own exchange
  EXPECT_EQ(fault_of(pair.to_beta_3(forger.message_3(forger.shown()))),
            IdentityFault::bad_signature);
}

TEST_F(Identities, ASignatureIsForOneTranscript) {
  Pair seen({.alpha_identity = &alpha, .beta_identity = &beta});
  const Forger recorded{seen};
  Pair pair({.beta_seed = 9, .beta_identity = &beta});
  const Forger forger{pair};
  Parameters said = forger.shown();
  said.identity = recorded.shown().identity;  // of another handshake of the same two sites
  EXPECT_EQ(fault_of(pair.to_beta_3(forger.message_3(said))), IdentityFault::bad_signature);
}

TEST_F(Identities, ASignatureIsForOneRole) {
  Pair pair({.beta_identity = &beta});
  const Forger forger{pair};
  Parameters said = forger.shown();
  SignedMessage as_responder = signed_part(forger.good, forger.t2);
  as_responder.signer = ipc::Role::responder;
  said.identity = prove(alpha, as_responder);
  EXPECT_EQ(fault_of(pair.to_beta_3(forger.message_3(said))), IdentityFault::bad_signature);
}

TEST_F(Identities, TheFarSidesOwnProofReflectedIsAnotherKey) {
  Pair pair({.alpha_identity = &alpha});
  const Message message_4 = carefree_message_4(
      pair, pair.reach_message_3(), nullptr, [&](Parameters& said, const crypto::Digest&) {
        said.identity = IdentityProof{.key = alpha_key->public_key(), .signature = {}};
      });
  ASSERT_TRUE(pair.to_alpha(message_4));
  EXPECT_EQ(pair.initiator.identity_fault(), IdentityFault::other_key);
}

TEST_F(Identities, MessageFoursSignatureIsOverT3AndItsOwnValue) {
  const auto fault_with = [&](auto sign) {
    Pair pair({.alpha_identity = &alpha});
    const Message message_3 = pair.reach_message_3();
    const Message message_4 = carefree_message_4(
        pair, message_3, nullptr,
        [&](Parameters& said, const crypto::Digest& t3) { said.identity = sign(message_3, t3); });
    EXPECT_TRUE(pair.to_alpha(message_4));
    return pair.initiator.identity_fault();
  };
  EXPECT_EQ(fault_with([&](const Message& message_3, const crypto::Digest& t3) {
              return prove(beta, signed_part(message_3, t3));
            }),
            IdentityFault::bad_signature)
      << "another head, and I's label";
  Message head{};
  EXPECT_EQ(fault_with([&](const Message&, const crypto::Digest& t3) {
              return prove(beta, {.signer = ipc::Role::responder,
                                  .transcript = &t3,
                                  .head = Bytes{head}.first(292)});
            }),
            IdentityFault::bad_signature)
      << "another value";
}

TEST_F(Identities, ARefusalShowsNone) {
  Pair pair({.alpha_identity = &alpha, .beta_identity = &beta});
  pair.beta_parameters.shaping = 1;
  const Answer answer = pair.answer_to(pair.reach_message_3());
  EXPECT_EQ(answer.refusal, Refusal::shaping);
  ASSERT_TRUE(pair.to_alpha(answer.message));
  EXPECT_EQ(pair.initiator.refusal(), Refusal::shaping);
  EXPECT_FALSE(pair.initiator.is_refused_here());
}

// In the middle with the whole shared key: the offer changes on its way to R, and every MAC is made
// to fit. Without identities nothing could tell.
TEST_F(Identities, AChangedOfferFailsEvenForOneWhoHoldsTheKey) {
  Pair pair(
      {.offer = {x25519_suite, modp_suite}, .alpha_identity = &alpha, .beta_identity = &beta});
  Message1 stripped = read_message_1(pair.initiator.outgoing(), pair.alpha_keys.k1).value();
  stripped.suites = {modp_suite.code()};
  const Message message_1 = write_message_1(stripped, pair.alpha_keys.k1);
  const Message message_2 = pair.message_2_for(message_1).value();
  Message2 choice = read_message_2(message_2, pair.alpha_keys.k2).value();
  const crypto::Digest stripped_h1 = choice.h1;
  choice.h1 = hash(pair.initiator.outgoing());
  ASSERT_TRUE(pair.to_alpha(write_message_2(choice, pair.alpha_keys.k2)));
  Message3 fields = read_message_3(pair.initiator.outgoing());
  const auto keys = crypto::derive_exchange_keys(pair.alpha_keys.link_key, fields.nonce_initiator,
                                                 fields.nonce_responder);
  const Parameters shown = open_parameters(pair.initiator.outgoing(), keys.k3).value();
  fields.h1 = stripped_h1;
  const Message message_3 =
      write_message_3(fields, shown, keys.k3, keys.dhmac_initiator, chain(stripped_h1, message_2));
  EXPECT_EQ(fault_of(pair.to_beta_3(message_3)), IdentityFault::bad_signature);
}

TEST_F(Identities, TenSignaturesASecondAreChecked) {
  const Identity pins_another{alpha_key, mallorys_key->public_key()};  // its signatures do not hold
  Pair pair({.alpha_identity = &pins_another, .beta_identity = &beta});
  const Message message_3 = pair.reach_message_3();
  for (unsigned i = 0; i < limits::signature_checks; ++i)
    ASSERT_EQ(fault_of(pair.to_beta_3(message_3)), IdentityFault::bad_signature) << i;
  EXPECT_EQ(pair.to_beta_3(message_3).error(), Verdict::too_many);
  pair.now += 99ms;
  EXPECT_EQ(pair.to_beta_3(message_3).error(), Verdict::too_many);
  pair.now += 1ms;
  EXPECT_EQ(fault_of(pair.to_beta_3(message_3)), IdentityFault::bad_signature);
  EXPECT_EQ(pair.to_beta_3(message_3).error(), Verdict::too_many);
  pair.now += 5s;
  unsigned checked = 0;
  while (pair.to_beta_3(message_3)) ++checked;
  EXPECT_EQ(checked, limits::signature_checks) << "a pause saves up no more than a second's";
}

TEST_F(Identities, WithoutTheRightKeyThereIsNothingToCheck) {
  Pair pair({.beta_identity = &beta});
  const Message message_3 = pair.reach_message_3();
  for (unsigned i = 0; i < 3 * limits::signature_checks; ++i)
    ASSERT_EQ(fault_of(pair.to_beta_3(message_3)), IdentityFault::missing);
}

TEST_F(Identities, TheWayInsideHasABudgetOfItsOwn) {
  const Identity pins_another{alpha_key, mallorys_key->public_key()};
  Pair pair({.alpha_identity = &pins_another, .beta_identity = &beta});
  const Message message_3 = pair.reach_message_3();
  while (pair.to_beta_3(message_3)) {
  }
  Initiator inside{pair.alpha_keys,    {x25519_suite}, parameters(1),
                   pair.alpha_entropy, pair.now,       &alpha};
  const Route way = ipc::SessionId{};
  const auto message_2 =
      pair.responder.on_message_1(way, inside.outgoing(), pair.beta_entropy, pair.now).value();
  ASSERT_TRUE(inside.on_message(message_2, pair.alpha_entropy, pair.now));
  const auto result = pair.responder.on_message_3(way, inside.outgoing(), pair.now);
  ASSERT_TRUE(result);
  EXPECT_TRUE(std::holds_alternative<ProvenMessage3>(*result));
}

TEST_F(Identities, ARepeatIsAnsweredWithoutASignatureCheck) {
  Pair pair({.alpha_identity = &alpha, .beta_identity = &beta});
  const Message message_3 = pair.reach_message_3();
  const Answer answer = pair.answer_to(message_3);
  pair.responder.answered(pair.initiator.nonce(), answer.message);
  const Identity pins_another{alpha_key, mallorys_key->public_key()};
  Initiator other{pair.alpha_keys,    {x25519_suite}, parameters(1),
                  pair.alpha_entropy, pair.now,       &pins_another};
  ASSERT_TRUE(
      other.on_message(pair.message_2_for(other.outgoing()).value(), pair.alpha_entropy, pair.now));
  while (pair.to_beta_3(other.outgoing())) {
  }
  EXPECT_EQ(std::get<Message>(pair.to_beta_3(message_3).value()), answer.message);
}

// The tie drops a message 3 and remembers nothing; who repeats it in its sender's name is no worse
// for R's next signatures than one who does not.
TEST_F(Identities, AGoodSignatureIsCheckedOnce) {
  Pair pair({.alpha_identity = &alpha, .beta_identity = &beta});
  const Message message_3 = pair.reach_message_3();
  for (unsigned i = 0; i < 3 * limits::signature_checks; ++i)
    ASSERT_TRUE(std::holds_alternative<ProvenMessage3>(pair.to_beta_3(message_3).value())) << i;
  const Identity pins_another{alpha_key, mallorys_key->public_key()};
  Initiator other{pair.alpha_keys,    {x25519_suite}, parameters(1),
                  pair.alpha_entropy, pair.now,       &pins_another};
  ASSERT_TRUE(
      other.on_message(pair.message_2_for(other.outgoing()).value(), pair.alpha_entropy, pair.now));
  unsigned checked = 0;
  while (pair.to_beta_3(other.outgoing())) ++checked;
  EXPECT_EQ(checked, limits::signature_checks - 1);
}

}  // namespace
}  // namespace penstock::controlplane
