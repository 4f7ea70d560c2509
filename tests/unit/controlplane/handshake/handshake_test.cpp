// Whole handshakes between an initiator and a responder.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/handshake/pair.hpp"

namespace penstock::controlplane {
namespace {

TEST(Handshake, ResponderTakesTheFirstOfItsOwnListThatIsOffered) {
  Pair pair({.offer = {x25519_suite, modp_suite}, .accepts = {modp_suite, x25519_suite}});
  const Answer answer = pair.answer_to(pair.reach_message_3());
  EXPECT_EQ(answer.agreement->suite, modp_suite);
}

TEST(Handshake, TwoHandshakesShareNothing) {
  Pair first;
  Pair second({.beta_seed = 3});
  const Answer one = first.answer_to(first.reach_message_3());
  const Answer two = second.answer_to(second.reach_message_3());
  EXPECT_NE(one.agreement->session_id, two.agreement->session_id);
  EXPECT_FALSE(equal_constant_time(one.agreement->secret.reveal(), two.agreement->secret.reveal()));
}

TEST(Handshake, NoCommonSuiteIsAnAuthenticRefusal) {
  Pair pair({.offer = {x25519_suite}, .accepts = {modp_suite}});
  const auto message_2 = pair.message_2_for(pair.initiator.outgoing());
  ASSERT_TRUE(message_2);
  ASSERT_TRUE(pair.to_alpha(*message_2));
  EXPECT_EQ(pair.initiator.state(), Initiator::State::refused);
  EXPECT_EQ(pair.initiator.refusal(), Refusal::suite);
  EXPECT_FALSE(pair.initiator.is_refused_here());
}

TEST(Handshake, VersionBelowOursIsRefused) {
  Pair pair;
  const Message message_1 = write_message_1({.key_id = pair.alpha_keys.key_id,
                                             .nonce_initiator = pair.initiator.nonce(),
                                             .highest = 0,
                                             .suites = {x25519_suite.code()}},
                                            pair.alpha_keys.k1);
  const Message message_2 = pair.message_2_for(message_1).value();
  const auto fields = read_message_2(message_2, pair.alpha_keys.k2);
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->suite, 0);
  EXPECT_EQ(fields->reason, Refusal::version);
}

TEST(Handshake, AHigherVersionAndUnknownSuitesAreAnsweredWithWhatWeSpeak) {
  Pair pair;
  const Message message_1 = write_message_1({.key_id = pair.alpha_keys.key_id,
                                             .nonce_initiator = pair.initiator.nonce(),
                                             .highest = 9,
                                             .suites = {0x7777, x25519_suite.code()}},
                                            pair.alpha_keys.k1);
  const auto fields = read_message_2(pair.message_2_for(message_1).value(), pair.alpha_keys.k2);
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->suite, x25519_suite.code());
}

TEST(Handshake, TagUnderMinTagIsRefusedAndMakesNoSession) {
  Parameters weak = parameters(1);
  weak.tag = 12;
  weak.min_tag = 12;
  Pair pair({.alpha = weak});
  const Answer answer = pair.answer_to(pair.reach_message_3());
  EXPECT_EQ(answer.refusal, Refusal::tag);
  EXPECT_FALSE(answer.agreement);
  ASSERT_TRUE(pair.to_alpha(answer.message));
  EXPECT_EQ(pair.initiator.state(), Initiator::State::refused);
  EXPECT_EQ(pair.initiator.refusal(), Refusal::tag);
}

TEST(Handshake, TheInitiatorRefusesAnAnswerThatBreaksTheRules) {
  Pair pair;
  pair.beta_parameters.lanes = 65;  // as an R would that does not check itself
  const Message message_3 = pair.reach_message_3();
  auto result = pair.to_beta_3(message_3).value();
  const auto& proven = std::get<ProvenMessage3>(result);
  const auto ephemeral = pair.beta_entropy.ephemeral_key(proven.suite.key_exchange);
  const auto shared = ephemeral.agree(Bytes{proven.fields.y}.first(32));
  const auto secret =
      crypto::derive_session_secret(pair.beta_keys.link_key, proven.fields.nonce_initiator,
                                    proven.fields.nonce_responder, shared->reveal());
  const Message message_4 = write_message_4(
      {.nonce_initiator = proven.fields.nonce_initiator, .y = to_field(ephemeral.public_value())},
      pair.beta_parameters,
      crypto::derive_message_4_seal(secret, proven.t3, ephemeral.public_value()),
      proven.dhmac_responder, proven.t3);
  ASSERT_TRUE(pair.to_alpha(message_4));
  EXPECT_EQ(pair.initiator.state(), Initiator::State::refused);
  EXPECT_EQ(pair.initiator.refusal(), Refusal::parameters);
  EXPECT_TRUE(pair.initiator.is_refused_here());
}

TEST(Handshake, ReflectedMessagesAreNobodys) {
  Pair pair;
  const LinkKeys answering =
      derive_link_keys(file_key("a key file of at least 32 bytes, shared"), "beta", "alpha");
  const Responder alphas_own{answering, {x25519_suite}, pair.alpha_entropy};
  EXPECT_FALSE(alphas_own.is_for_us(pair.initiator.outgoing()));
}

}  // namespace
}  // namespace penstock::controlplane
