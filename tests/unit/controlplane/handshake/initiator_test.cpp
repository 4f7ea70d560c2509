#include "controlplane/handshake/initiator.hpp"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/handshake/pair.hpp"

namespace penstock::controlplane {
namespace {

using State = Initiator::State;

Message flip(Message message, std::size_t bit) {
  message[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  return message;
}

TEST(Initiator, RefusesEveryBitFlipOfMessage2) {
  Pair pair;
  const Message good = pair.message_2_for(pair.initiator.outgoing()).value();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    ASSERT_FALSE(pair.to_alpha(flip(good, bit))) << "bit " << bit;
    ASSERT_EQ(pair.initiator.state(), State::awaiting_2);
  }
  EXPECT_TRUE(pair.to_alpha(good));
}

TEST(Initiator, RefusesEveryBitFlipOfMessage4WithoutADiffieHellman) {
  Pair pair;
  const Answer answer = pair.answer_to(pair.reach_message_3());
  for (std::size_t bit = 0; bit < answer.message.size() * 8; ++bit) {
    const auto verdict = pair.to_alpha(flip(answer.message, bit));
    ASSERT_FALSE(verdict) << "bit " << bit;
    // Everything behind the header and the nonce is covered by h_R, which is checked first.
    if (bit >= 36 * 8) {
      ASSERT_EQ(verdict.error(), Verdict::bad_proof) << "bit " << bit;
    }
  }
  EXPECT_TRUE(pair.to_alpha(answer.message));
}

TEST(Initiator, RefusesEveryLengthButTheOne) {
  Pair pair;
  const Message good = pair.message_2_for(pair.initiator.outgoing()).value();
  std::vector<std::byte> longer(good.begin(), good.end());
  longer.push_back({});
  for (std::size_t length = 0; length <= longer.size(); ++length) {
    if (length == good.size()) continue;
    const auto verdict =
        pair.initiator.on_message(Bytes{longer}.first(length), pair.alpha_entropy, pair.now);
    ASSERT_FALSE(verdict);
    ASSERT_EQ(verdict.error(), Verdict::bad_length);
  }
}

TEST(Initiator, TakesTheFirstGoodMessage2AndNoLaterOne) {
  Pair pair;
  const Message message_1 = pair.initiator.outgoing();
  const Message first = pair.message_2_for(message_1).value();
  const Message second = pair.message_2_for(message_1).value();
  ASSERT_NE(first, second);
  ASSERT_TRUE(pair.to_alpha(second));
  const Message message_3 = pair.initiator.outgoing();
  EXPECT_EQ(pair.to_alpha(first).error(), Verdict::bad_type);
  EXPECT_EQ(pair.to_alpha(second).error(), Verdict::bad_type);
  EXPECT_EQ(pair.initiator.outgoing(), message_3);
}

TEST(Initiator, RefusesMessagesOutOfOrder) {
  Pair pair;
  Pair other;
  other.reach_message_3();
  const Answer answer = other.answer_to(other.initiator.outgoing());
  EXPECT_EQ(pair.to_alpha(answer.message).error(), Verdict::bad_type);
  EXPECT_EQ(pair.to_alpha(pair.initiator.outgoing()).error(), Verdict::bad_type);
  EXPECT_EQ(pair.initiator.state(), State::awaiting_2);
}

TEST(Initiator, RefusesAnotherAttemptsMessage2) {
  Pair pair;
  Initiator other{pair.alpha_keys, {x25519_suite}, parameters(1), pair.alpha_entropy, pair.now};
  const Message message_2 = pair.message_2_for(other.outgoing()).value();
  EXPECT_FALSE(pair.initiator.is_for_us(message_2));
  EXPECT_EQ(pair.to_alpha(message_2).error(), Verdict::not_ours);
}

TEST(Initiator, RefusesASuiteItDidNotOffer) {
  Pair pair({.offer = {x25519_suite}});
  const Message message_2 = write_message_2(
      {.h1 = hash(pair.initiator.outgoing()), .suite = modp_suite.code()}, pair.alpha_keys.k2);
  EXPECT_EQ(pair.to_alpha(message_2).error(), Verdict::bad_suite);
  EXPECT_EQ(pair.initiator.state(), State::awaiting_2);
}

TEST(Initiator, ResendsTheSameBytesWithGrowingPauses) {
  Pair pair;
  const Message message_1 = pair.initiator.outgoing();
  const Time start = pair.now;
  std::vector<Time> sent;
  while (pair.initiator.state() == State::awaiting_2) {
    pair.now = pair.initiator.deadline();
    if (pair.initiator.on_timer(pair.now)) sent.push_back(pair.now - start);
    ASSERT_EQ(pair.initiator.outgoing(), message_1);
  }
  EXPECT_EQ(sent, (std::vector<Time>{250ms, 750ms, 1750ms, 2750ms, 3750ms, 4750ms}));
  EXPECT_EQ(pair.initiator.state(), State::expired);
  EXPECT_EQ(pair.now - start, limits::attempt_life);
}

TEST(Initiator, AnExpiredAttemptTakesNothing) {
  Pair pair;
  const Message message_2 = pair.message_2_for(pair.initiator.outgoing()).value();
  pair.now += limits::attempt_life;
  EXPECT_FALSE(pair.initiator.on_timer(pair.now));
  EXPECT_EQ(pair.to_alpha(message_2).error(), Verdict::not_ours);
}

TEST(Initiator, OneWithTheWrongKeyIsNotBelieved) {
  Pair pair;
  const LinkKeys foreign =
      derive_link_keys(file_key("another key file altogether, 32 bytes"), "alpha", "beta");
  const Message message_2 = write_message_2(
      {.h1 = hash(pair.initiator.outgoing()), .suite = x25519_suite.code()}, foreign.k2);
  EXPECT_EQ(pair.to_alpha(message_2).error(), Verdict::bad_mac);
}

}  // namespace
}  // namespace penstock::controlplane
