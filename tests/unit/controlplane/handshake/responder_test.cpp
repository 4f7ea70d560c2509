#include "controlplane/handshake/responder.hpp"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/handshake/pair.hpp"

namespace penstock::controlplane {
namespace {

Message flip(Message message, std::size_t bit) {
  message[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  return message;
}

TEST(Responder, RefusesEveryBitFlipOfMessage1) {
  Pair pair;
  const Message good = pair.initiator.outgoing();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit)
    ASSERT_FALSE(pair.message_2_for(flip(good, bit))) << "bit " << bit;
  EXPECT_TRUE(pair.message_2_for(good));
}

TEST(Responder, RefusesEveryBitFlipOfMessage3WithoutADiffieHellman) {
  Pair pair;
  const Message good = pair.reach_message_3();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit)
    ASSERT_FALSE(pair.to_beta_3(flip(good, bit))) << "bit " << bit;
  EXPECT_EQ(pair.beta_entropy.keys_made, 0u);
  EXPECT_TRUE(pair.to_beta_3(good));
  EXPECT_EQ(pair.beta_entropy.keys_made, 0u);
}

TEST(Responder, RefusesEveryLengthButTheOne) {
  Pair pair;
  const Message message_3 = pair.reach_message_3();
  std::vector<std::byte> longer(message_3.begin(), message_3.end());
  longer.push_back({});
  for (std::size_t length = 0; length <= longer.size(); ++length) {
    if (length == message_3.size()) continue;
    const Bytes cut = Bytes{longer}.first(length);
    ASSERT_EQ(pair.responder.on_message_3(alpha_address(), cut, pair.now).error(),
              Verdict::bad_length);
    ASSERT_EQ(
        pair.responder.on_message_1(alpha_address(), cut, pair.beta_entropy, pair.now).error(),
        Verdict::bad_length);
  }
}

TEST(Responder, RefusesWrongTypesVersionsAndHeaders) {
  Pair pair;
  const Message good = pair.initiator.outgoing();
  const auto with = [&](std::size_t offset, unsigned value) {
    Message message = good;
    message[offset] = static_cast<std::byte>(value);
    return pair.message_2_for(message).error();
  };
  EXPECT_EQ(with(0, 3), Verdict::bad_type);
  EXPECT_EQ(with(1, 2), Verdict::bad_version);
  EXPECT_EQ(with(2, 1), Verdict::bad_header);
  EXPECT_EQ(with(3, 1), Verdict::bad_header);
  EXPECT_EQ(with(4, load_u8(&good[4]) ^ 1u), Verdict::unknown_key);
  EXPECT_EQ(with(500, 1), Verdict::bad_mac);
}

TEST(Responder, AWrongKeyIsUnknown) {
  Pair pair({.beta_key = "another key file altogether, 32 bytes"});
  EXPECT_FALSE(pair.responder.is_for_us(pair.initiator.outgoing()));
  EXPECT_EQ(pair.message_2_for(pair.initiator.outgoing()).error(), Verdict::unknown_key);
}

TEST(Responder, AnOfferOfTooManySuitesIsMalformed) {
  Pair pair;
  for (const unsigned count : {0u, 17u, 255u}) {
    Message message = pair.initiator.outgoing();
    message[45] = static_cast<std::byte>(count);
    crypto::hmac_sha256(pair.alpha_keys.k1.reveal(), {Bytes{message}.first(message_body)},
                        std::span{message}.last<32>());
    EXPECT_EQ(pair.message_2_for(message).error(), Verdict::bad_fields);
  }
}

TEST(Responder, CookiesAreForOneAddressAndTenSeconds) {
  Pair pair;
  const Message message_3 = pair.reach_message_3();
  Endpoint elsewhere = alpha_address();
  ++elsewhere.port;
  EXPECT_EQ(pair.responder.on_message_3(elsewhere, message_3, pair.now).error(),
            Verdict::bad_cookie);
  pair.now += limits::cookie_life;
  EXPECT_EQ(pair.to_beta_3(message_3).error(), Verdict::stale_cookie);
  pair.now -= 1ns;
  EXPECT_TRUE(pair.to_beta_3(message_3));
}

TEST(Responder, CookiesDieWithTheProcess) {
  Pair pair;
  const Message message_3 = pair.reach_message_3();
  Responder reborn{pair.beta_keys, {x25519_suite}, pair.beta_entropy};
  EXPECT_EQ(reborn.on_message_3(alpha_address(), message_3, pair.now).error(), Verdict::bad_cookie);
}

TEST(Responder, ARepeatedMessage3GetsTheSameBytesEightTimesAndNoSecondDiffieHellman) {
  Pair pair;
  const Message message_3 = pair.reach_message_3();
  const Answer answer = pair.answer_to(message_3);
  EXPECT_EQ(pair.beta_entropy.keys_made, 1u);
  // Message 4 waits for the install.
  EXPECT_EQ(pair.to_beta_3(message_3).error(), Verdict::repeat_unanswered);
  pair.responder.answered(pair.initiator.nonce(), answer.message);
  for (unsigned i = 0; i < limits::max_answer_repeats; ++i) {
    const auto repeat = pair.to_beta_3(message_3);
    ASSERT_TRUE(repeat);
    ASSERT_TRUE(std::holds_alternative<Message>(*repeat));
    EXPECT_EQ(std::get<Message>(*repeat), answer.message);
  }
  EXPECT_EQ(pair.to_beta_3(message_3).error(), Verdict::repeat_unanswered);
  EXPECT_EQ(pair.beta_entropy.keys_made, 1u);
}

TEST(Responder, AnotherMessage3WithAnAcceptedNonceIsDropped) {
  Pair pair;
  const Message message_1 = pair.initiator.outgoing();
  const Message message_3 = pair.reach_message_3();
  // The same nonce_I and a good cookie, from one who holds the key: another y.
  SeededEntropy entropy{99};
  const Message other_2 = pair.message_2_for(message_1).value();
  const auto fields_2 = read_message_2(other_2, pair.alpha_keys.k2).value();
  const auto keys = crypto::derive_exchange_keys(pair.alpha_keys.link_key, pair.initiator.nonce(),
                                                 fields_2.nonce_responder);
  const Message other_3 =
      write_message_3({.key_id = pair.alpha_keys.key_id,
                       .nonce_initiator = pair.initiator.nonce(),
                       .h1 = fields_2.h1,
                       .nonce_responder = fields_2.nonce_responder,
                       .cookie = fields_2.cookie,
                       .suite = fields_2.suite,
                       .y = to_field(entropy.ephemeral_key(KeyExchange::x25519).public_value())},
                      parameters(1), keys.k3, keys.dhmac_initiator, chain(fields_2.h1, other_2));
  ASSERT_TRUE(pair.to_beta_3(other_3)) << "good as long as the nonce is fresh";
  (void)pair.answer_to(message_3);
  EXPECT_EQ(pair.to_beta_3(other_3).error(), Verdict::altered_repeat);
  EXPECT_EQ(pair.to_beta_3(flip(message_3, 900 * 8)).error(), Verdict::altered_repeat);
}

TEST(Responder, ANonceIsRememberedAsLongAsItsCookieLives) {
  Pair pair;
  const Message message_3 = pair.reach_message_3();
  (void)pair.answer_to(message_3);
  pair.now += limits::cookie_life - 1ns;
  EXPECT_EQ(pair.to_beta_3(message_3).error(), Verdict::repeat_unanswered);
  pair.now += 1ns;
  EXPECT_EQ(pair.to_beta_3(message_3).error(), Verdict::stale_cookie);
}

TEST(Responder, AKeyHolderGetsAHundredDiffieHellmansInTenSeconds) {
  Pair pair;
  auto attempt = [&] {
    Initiator initiator{
        pair.alpha_keys, {x25519_suite}, parameters(1), pair.alpha_entropy, pair.now};
    const Message message_2 = pair.message_2_for(initiator.outgoing()).value();
    initiator.on_message(message_2, pair.alpha_entropy, pair.now).value();
    auto result = pair.to_beta_3(initiator.outgoing()).value();
    return pair.responder.answer(std::get<ProvenMessage3>(result), pair.beta_parameters,
                                 pair.beta_entropy, pair.now);
  };
  for (std::size_t i = 0; i < Responder::max_remembered; ++i) ASSERT_TRUE(attempt());
  const auto one_more = attempt();
  ASSERT_FALSE(one_more);
  EXPECT_EQ(one_more.error(), Verdict::too_many);
  EXPECT_EQ(pair.beta_entropy.keys_made, Responder::max_remembered);
  pair.now += limits::cookie_life;
  EXPECT_TRUE(attempt());
}

TEST(Responder, AStrippedOfferFailsEvenWithNewMacsOnMessages1And2) {
  Pair pair({.offer = {x25519_suite, modp_suite}});
  // In the middle, with k1 and k2: the offer loses its first suite ...
  const auto offer = read_message_1(pair.initiator.outgoing(), pair.alpha_keys.k1).value();
  Message1 stripped = offer;
  stripped.suites = {modp_suite.code()};
  const Message message_1 = write_message_1(stripped, pair.alpha_keys.k1);
  Message2 choice =
      read_message_2(pair.message_2_for(message_1).value(), pair.alpha_keys.k2).value();
  ASSERT_EQ(choice.suite, modp_suite.code());
  const crypto::Digest stripped_h1 = choice.h1;
  choice.h1 = hash(pair.initiator.outgoing());
  ASSERT_TRUE(pair.to_alpha(write_message_2(choice, pair.alpha_keys.k2)));
  // ... and message 3 cannot be made to fit: as it is, the cookie is for another offer;
  EXPECT_EQ(pair.to_beta_3(pair.initiator.outgoing()).error(), Verdict::bad_cookie);
  // with the H1 that the cookie wants, h_I does not hold.
  Message message_3 = pair.initiator.outgoing();
  std::ranges::copy(stripped_h1, message_3.begin() + 44);
  EXPECT_EQ(pair.to_beta_3(message_3).error(), Verdict::downgrade);
}

TEST(Responder, BadPublicValuesEndTheHandshake) {
  Pair pair({.offer = {modp_suite}});
  const Message message_1 = pair.initiator.outgoing();
  const Message message_2 = pair.message_2_for(message_1).value();
  const auto fields = read_message_2(message_2, pair.alpha_keys.k2).value();
  const auto keys = crypto::derive_exchange_keys(pair.alpha_keys.link_key, pair.initiator.nonce(),
                                                 fields.nonce_responder);
  PublicField one{};
  one.back() = std::byte{1};
  const Message message_3 =
      write_message_3({.key_id = pair.alpha_keys.key_id,
                       .nonce_initiator = pair.initiator.nonce(),
                       .h1 = fields.h1,
                       .nonce_responder = fields.nonce_responder,
                       .cookie = fields.cookie,
                       .suite = fields.suite,
                       .y = one},
                      parameters(1), keys.k3, keys.dhmac_initiator, chain(fields.h1, message_2));
  auto result = pair.to_beta_3(message_3).value();
  const auto answer = pair.responder.answer(std::get<ProvenMessage3>(result), pair.beta_parameters,
                                            pair.beta_entropy, pair.now);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), Verdict::bad_public_value);
}

}  // namespace
}  // namespace penstock::controlplane
