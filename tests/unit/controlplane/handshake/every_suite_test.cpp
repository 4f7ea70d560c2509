// What a handshake makes of each suite: which is chosen, and the tag that both sides get.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/handshake/pair.hpp"

namespace penstock::controlplane {
namespace {

std::vector<Suite> every_suite() {
  std::vector<Suite> suites;
  for (const KeyExchangeTraits& exchange : key_exchanges)
    for (const ProtectionTraits& row : protections)
      suites.push_back({exchange.key_exchange, row.protection});
  return suites;
}

// As many suites as an offer holds, `suite` last.
std::vector<Suite> offer_that_ends_with(Suite suite) {
  std::vector<Suite> suites = every_suite();
  std::erase(suites, suite);
  suites.resize(max_suites_offered - 1);
  suites.push_back(suite);
  return suites;
}

constexpr Suite null_suite{KeyExchange::x25519, Protection::none};

Parameters asking_for(std::uint32_t slot, std::uint8_t tag, std::uint8_t min_tag) {
  Parameters own = parameters(slot);
  own.tag = tag;
  own.min_tag = min_tag;
  return own;
}

void expect_same_session(const Agreement& alpha, const Agreement& beta) {
  EXPECT_EQ(alpha.role, ipc::Role::initiator);
  EXPECT_EQ(beta.role, ipc::Role::responder);
  EXPECT_EQ(alpha.session_id, beta.session_id);
  EXPECT_EQ(alpha.suite, beta.suite);
  EXPECT_EQ(alpha.shape, beta.shape);
  EXPECT_EQ(alpha.own, beta.peer);
  EXPECT_EQ(alpha.peer, beta.own);
  EXPECT_TRUE(equal_constant_time(alpha.secret.reveal(), beta.secret.reveal()));
}

class EverySuite : public testing::TestWithParam<Suite> {
 protected:
  // The tag of the session that two sites make which both ask for `tag`.
  static std::uint8_t tag_of(std::uint8_t tag, std::uint8_t min_tag) {
    Pair pair({.offer = {GetParam()},
               .accepts = {GetParam()},
               .alpha = asking_for(1, tag, min_tag),
               .beta = asking_for(2, tag, min_tag)});
    const Answer answer = pair.answer_to(pair.reach_message_3());
    EXPECT_EQ(answer.refusal, Refusal::none);
    EXPECT_TRUE(pair.to_alpha(answer.message));
    EXPECT_EQ(pair.initiator.state(), Initiator::State::agreed);
    return pair.initiator.take_agreement().shape.tag;
  }
};

TEST_P(EverySuite, FourMessagesMakeOneSession) {
  Pair pair({.offer = {GetParam()}, .accepts = every_suite()});
  Answer answer = pair.answer_to(pair.reach_message_3());
  ASSERT_EQ(answer.refusal, Refusal::none);
  ASSERT_TRUE(answer.agreement);
  ASSERT_TRUE(pair.to_alpha(answer.message));
  ASSERT_EQ(pair.initiator.state(), Initiator::State::agreed);
  const Agreement alpha = pair.initiator.take_agreement();
  EXPECT_EQ(alpha.suite, GetParam());
  expect_same_session(alpha, *answer.agreement);
}

TEST_P(EverySuite, ItIsFoundAmongMany) {
  Pair pair({.offer = offer_that_ends_with(GetParam()), .accepts = {GetParam()}});
  const Answer answer = pair.answer_to(pair.reach_message_3());
  ASSERT_TRUE(answer.agreement);
  EXPECT_EQ(answer.agreement->suite, GetParam());
}

TEST_P(EverySuite, TheTagIsTheNearestToTheWantedOne) {
  const Protection protection = GetParam().protection;
  for (const std::uint8_t tag : std::array<std::uint8_t, 5>{12, 16, 20, 32, 48})
    EXPECT_EQ(tag_of(tag, 12), fit_tag(protection, tag)) << unsigned{tag};
  EXPECT_EQ(tag_of(traits(protection).max_tag, traits(protection).max_tag),
            traits(protection).max_tag);
}

TEST_P(EverySuite, MessagesSayTheTagThatTheSuiteHas) {
  Pair pair({.offer = {GetParam()},
             .accepts = {GetParam()},
             .alpha = asking_for(1, 48, 12),
             .beta = asking_for(2, 14, 13)});
  const Answer answer = pair.answer_to(pair.reach_message_3());
  ASSERT_TRUE(answer.agreement);
  const auto& [most, least] =
      std::pair{traits(GetParam().protection).max_tag, traits(GetParam().protection).min_tag};
  EXPECT_EQ(answer.agreement->peer.tag, most);
  EXPECT_EQ(answer.agreement->peer.min_tag, least);
  ASSERT_TRUE(pair.to_alpha(answer.message));
  const Agreement alpha = pair.initiator.take_agreement();
  EXPECT_EQ(alpha.peer.tag, fit_tag(GetParam().protection, 14));
  EXPECT_EQ(alpha.peer.min_tag, fit_tag(GetParam().protection, 13));
  expect_same_session(alpha, *answer.agreement);
}

TEST_P(EverySuite, TwoSidesWithoutItMakeNoSession) {
  std::vector<Suite> others = every_suite();
  std::erase(others, GetParam());
  Pair pair({.offer = {GetParam()}, .accepts = others});
  ASSERT_TRUE(pair.to_alpha(pair.message_2_for(pair.initiator.outgoing()).value()));
  EXPECT_EQ(pair.initiator.state(), Initiator::State::refused);
  EXPECT_EQ(pair.initiator.refusal(), Refusal::suite);
}

INSTANTIATE_TEST_SUITE_P(Handshake, EverySuite, testing::ValuesIn(every_suite()),
                         [](const auto& instance) {
                           std::string name = to_string(instance.param);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

// A NULL session comes about only where both configs list its suite.

TEST(NullSuite, IsNotChosenByOneWhoDoesNotListIt) {
  Pair pair({.offer = {null_suite, x25519_suite}, .accepts = {x25519_suite}});
  const Answer answer = pair.answer_to(pair.reach_message_3());
  EXPECT_EQ(answer.agreement->suite, x25519_suite);
}

TEST(NullSuite, IsNotTakenByOneWhoDidNotOfferIt) {
  Pair pair({.offer = {x25519_suite}, .accepts = {null_suite, x25519_suite}});
  const Message message_2 = write_message_2(
      {.h1 = hash(pair.initiator.outgoing()), .suite = null_suite.code()}, pair.alpha_keys.k2);
  EXPECT_EQ(pair.to_alpha(message_2).error(), Verdict::bad_suite);
  EXPECT_EQ(pair.answer_to(pair.reach_message_3()).agreement->suite, x25519_suite);
}

// A message 3 for a suite that R did not choose, from one who holds the key.
TEST(NullSuite, IsNotPutIntoMessage3) {
  Pair pair({.offer = {x25519_suite, null_suite}, .accepts = {x25519_suite}});
  const Message message_2 = pair.message_2_for(pair.initiator.outgoing()).value();
  const auto fields = read_message_2(message_2, pair.alpha_keys.k2).value();
  const auto keys = crypto::derive_exchange_keys(pair.alpha_keys.link_key, pair.initiator.nonce(),
                                                 fields.nonce_responder);
  const Message message_3 = write_message_3(
      {.key_id = pair.alpha_keys.key_id,
       .nonce_initiator = pair.initiator.nonce(),
       .h1 = fields.h1,
       .nonce_responder = fields.nonce_responder,
       .cookie = fields.cookie,
       .suite = null_suite.code(),
       .y = to_field(pair.alpha_entropy.ephemeral_key(KeyExchange::x25519).public_value())},
      fitted(parameters(1), Protection::none), keys.k3, keys.dhmac_initiator,
      chain(fields.h1, message_2));
  EXPECT_EQ(pair.to_beta_3(message_3).error(), Verdict::bad_cookie);
}

}  // namespace
}  // namespace penstock::controlplane
