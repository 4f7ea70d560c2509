// A holder of the key that sends a public value which the key exchange refuses: dropped by name,
// by both sides, and neither is the worse for it.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/handshake/pair.hpp"

namespace penstock::controlplane {
namespace {

class PublicValues : public testing::TestWithParam<KeyExchange> {
 protected:
  const KeyExchange kind = GetParam();
  Pair pair{
      {.offer = {{kind, Protection::aes256_gcm}}, .accepts = {{kind, Protection::aes256_gcm}}}};
  SeededEntropy attacker{99};

  [[nodiscard]] crypto::EphemeralKey good_key() { return attacker.ephemeral_key(kind); }

  std::vector<PublicField> bad_values() {
    std::vector<PublicField> bad{PublicField{}};
    if (kind == KeyExchange::p256 || kind == KeyExchange::p384) {
      const PublicField good = to_field(good_key().public_value());
      PublicField off_the_curve = good;
      off_the_curve[crypto::public_value_size(kind) - 1] ^= std::byte{1};
      PublicField hybrid = good;
      hybrid[0] = std::byte{6} | (good[crypto::public_value_size(kind) - 1] & std::byte{1});
      PublicField compressed{};
      std::copy_n(good.begin(), 1 + crypto::exchange_sizes(kind).agreed, compressed.begin());
      compressed[0] = hybrid[0] & std::byte{3};
      bad.insert(bad.end(), {off_the_curve, hybrid, compressed});
    }
    if (kind == KeyExchange::modp2048) {
      PublicField one{};
      one.back() = std::byte{1};
      PublicField above_p;
      above_p.fill(std::byte{0xff});
      bad.insert(bad.end(), {one, above_p});
    }
    return bad;
  }

  // The keys and the transcript with which a holder of the key makes a message 3 or 4.
  struct Middle {
    Message message_2;
    Message2 fields;
    crypto::ExchangeKeys keys;
    crypto::Digest t2;
  };
  Middle in_the_middle() {
    const Message message_2 = pair.message_2_for(pair.initiator.outgoing()).value();
    const Message2 fields = read_message_2(message_2, pair.alpha_keys.k2).value();
    return {message_2, fields,
            crypto::derive_exchange_keys(pair.alpha_keys.link_key, pair.initiator.nonce(),
                                         fields.nonce_responder),
            chain(fields.h1, message_2)};
  }
  Message message_3_with(const Middle& middle, const PublicField& y) {
    return write_message_3({.key_id = pair.alpha_keys.key_id,
                            .nonce_initiator = pair.initiator.nonce(),
                            .h1 = middle.fields.h1,
                            .nonce_responder = middle.fields.nonce_responder,
                            .cookie = middle.fields.cookie,
                            .suite = middle.fields.suite,
                            .y = y},
                           parameters(1), middle.keys.k3, middle.keys.dhmac_initiator, middle.t2);
  }
};

TEST_P(PublicValues, BadOnesInMessage3MakeNoSession) {
  for (const PublicField& y : bad_values()) {
    pair.now += limits::cookie_life;  // so that the nonce is fresh again
    auto proven = pair.to_beta_3(message_3_with(in_the_middle(), y)).value();
    const auto answer = pair.responder.answer(std::get<ProvenMessage3>(proven),
                                              pair.beta_parameters, pair.beta_entropy, pair.now);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error(), Verdict::bad_public_value);
  }
  pair.now += limits::cookie_life;
  const Message good = message_3_with(in_the_middle(), to_field(good_key().public_value()));
  EXPECT_TRUE(pair.answer_to(good).agreement) << "a good one is still answered";
}

TEST_P(PublicValues, BadOnesInMessage4AreDroppedAndAGoodOneStillTaken) {
  Middle middle = in_the_middle();
  ASSERT_TRUE(pair.to_alpha(middle.message_2));
  const Message message_3 = pair.initiator.outgoing();
  const crypto::Digest t3 = chain(middle.t2, message_3);
  for (const PublicField& y : bad_values()) {
    const Message message_4 =
        write_message_4({.nonce_initiator = pair.initiator.nonce(), .y = y}, parameters(2),
                        middle.keys.k3, middle.keys.dhmac_responder, t3);
    const auto taken = pair.to_alpha(message_4);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error(), Verdict::bad_public_value);
    EXPECT_EQ(pair.initiator.state(), Initiator::State::awaiting_4);
  }
  ASSERT_TRUE(pair.to_alpha(pair.answer_to(message_3).message));
  EXPECT_EQ(pair.initiator.state(), Initiator::State::agreed);
}

// Each costs an exchange of keys, and whoever holds the key can make any number.
TEST_P(PublicValues, AnAttemptIsMuteAfterEightBadMessages4) {
  Middle middle = in_the_middle();
  ASSERT_TRUE(pair.to_alpha(middle.message_2));
  const Message message_3 = pair.initiator.outgoing();
  const Message good = pair.answer_to(message_3).message;
  const Message bad_seal = write_message_4(
      {.nonce_initiator = pair.initiator.nonce(), .y = to_field(good_key().public_value())},
      parameters(2), middle.keys.k3, middle.keys.dhmac_responder, chain(middle.t2, message_3));
  Message bad_proof = good;
  bad_proof.back() ^= std::byte{1};
  for (unsigned i = 0; i < limits::max_bad_answers; ++i) {
    ASSERT_EQ(pair.to_alpha(bad_proof).error(), Verdict::bad_proof) << "costs nothing";
    ASSERT_EQ(pair.to_alpha(bad_seal).error(), Verdict::bad_seal) << i;
  }
  EXPECT_EQ(pair.to_alpha(bad_seal).error(), Verdict::too_many);
  EXPECT_EQ(pair.to_alpha(good).error(), Verdict::too_many);
  EXPECT_EQ(pair.initiator.state(), Initiator::State::awaiting_4);
}

INSTANTIATE_TEST_SUITE_P(Handshake, PublicValues,
                         testing::Values(KeyExchange::x25519, KeyExchange::p256, KeyExchange::p384,
                                         KeyExchange::modp2048),
                         [](const auto& instance) {
                           return std::string{to_string(instance.param)};
                         });

}  // namespace
}  // namespace penstock::controlplane
