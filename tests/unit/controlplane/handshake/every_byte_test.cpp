// Each message cut at every length, and with every byte wrong in turn: which check notices, and
// that nothing else happens. The good message is taken afterwards.
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/handshake/pair.hpp"

namespace penstock::controlplane {
namespace {

using State = Initiator::State;

// Bytes `first` up to the next row's belong to `field`, and are noticed by `verdict`.
struct Row {
  std::size_t first;
  Verdict verdict;
  const char* field;
};
using Table = std::vector<Row>;

const Row& row_of(const Table& table, std::size_t at) {
  return *std::prev(
      std::ranges::upper_bound(table, at, {}, [](const Row& row) { return row.first; }));
}

// `verdict_of` gives the datagram to the state machine; empty when it was taken.
template <class VerdictOf>
void expect_each_byte_noticed(const Message& good, const Table& table, VerdictOf verdict_of) {
  for (std::size_t at = 0; at < good.size(); ++at) {
    const Row& row = row_of(table, at);
    for (const unsigned change : {0x01u, 0x80u, 0xffu}) {
      Message wrong = good;
      wrong[at] ^= static_cast<std::byte>(change);
      ASSERT_EQ(verdict_of(Bytes{wrong}), std::optional{row.verdict})
          << row.field << ", byte " << at << " by " << change;
    }
  }
}

template <class VerdictOf>
void expect_each_length_noticed(const Message& good, VerdictOf verdict_of) {
  std::vector<std::byte> longer(good.begin(), good.end());
  longer.resize(2 * good.size());
  for (std::size_t length = 0; length <= longer.size(); ++length) {
    if (length == good.size()) continue;
    ASSERT_EQ(verdict_of(Bytes{longer}.first(length)), std::optional{Verdict::bad_length})
        << length;
  }
}

template <class VerdictOf>
void expect_all_noticed(const Message& good, const Table& table, VerdictOf verdict_of) {
  expect_each_length_noticed(good, verdict_of);
  expect_each_byte_noticed(good, table, verdict_of);
}

template <class Result>
std::optional<Verdict> verdict_in(const Result& result) {
  return result ? std::nullopt : std::optional{result.error()};
}

const Table of_message_1{{0, Verdict::bad_type, "type"},    {1, Verdict::bad_version, "version"},
                         {2, Verdict::bad_header, "zero"},  {4, Verdict::unknown_key, "key id"},
                         {12, Verdict::bad_mac, "nonce_I"}, {44, Verdict::bad_mac, "highest"},
                         {45, Verdict::bad_mac, "count"},   {46, Verdict::bad_mac, "suites"},
                         {78, Verdict::bad_mac, "padding"}, {992, Verdict::bad_mac, "MAC"}};

const Table of_message_2{{0, Verdict::bad_type, "type"},    {1, Verdict::bad_version, "version"},
                         {2, Verdict::bad_header, "zero"},  {4, Verdict::bad_mac, "H1"},
                         {36, Verdict::bad_mac, "nonce_R"}, {68, Verdict::bad_mac, "cookie"},
                         {96, Verdict::bad_mac, "suite"},   {98, Verdict::bad_mac, "reason"},
                         {99, Verdict::bad_mac, "padding"}, {992, Verdict::bad_mac, "MAC"}};

const Table of_message_3{
    {0, Verdict::bad_type, "type"},       {1, Verdict::bad_version, "version"},
    {2, Verdict::bad_header, "zero"},     {4, Verdict::unknown_key, "key id"},
    {12, Verdict::downgrade, "nonce_I"},  {44, Verdict::bad_cookie, "H1"},
    {76, Verdict::bad_cookie, "nonce_R"}, {108, Verdict::bad_cookie, "cookie"},
    {136, Verdict::bad_cookie, "suite"},  {138, Verdict::downgrade, "zero"},
    {140, Verdict::downgrade, "y_I"},     {396, Verdict::downgrade, "sealed_I"},
    {540, Verdict::downgrade, "padding"}, {992, Verdict::downgrade, "h_I"}};

const Table of_message_4{
    {0, Verdict::bad_type, "type"},       {1, Verdict::bad_version, "version"},
    {2, Verdict::bad_header, "zero"},     {4, Verdict::not_ours, "nonce_I"},
    {36, Verdict::bad_proof, "y_R"},      {292, Verdict::bad_proof, "sealed_R"},
    {436, Verdict::bad_proof, "padding"}, {992, Verdict::bad_proof, "h_R"}};

TEST(EveryByte, OfMessage1) {
  Pair pair;
  const Message good = pair.initiator.outgoing();
  expect_all_noticed(good, of_message_1, [&](Bytes datagram) {
    return verdict_in(
        pair.responder.on_message_1(alpha_address(), datagram, pair.beta_entropy, pair.now));
  });
  EXPECT_TRUE(pair.message_2_for(good));
}

TEST(EveryByte, OfMessage2) {
  Pair pair;
  const Message message_1 = pair.initiator.outgoing();
  const Message good = pair.message_2_for(message_1).value();
  expect_all_noticed(good, of_message_2, [&](Bytes datagram) {
    const auto taken = pair.initiator.on_message(datagram, pair.alpha_entropy, pair.now);
    EXPECT_EQ(pair.initiator.state(), State::awaiting_2);
    EXPECT_EQ(pair.initiator.outgoing(), message_1);
    return verdict_in(taken);
  });
  EXPECT_EQ(pair.alpha_entropy.keys_made, 0u);
  EXPECT_TRUE(pair.to_alpha(good));
}

TEST(EveryByte, OfMessage3) {
  Pair pair;
  const Message good = pair.reach_message_3();
  expect_all_noticed(good, of_message_3, [&](Bytes datagram) {
    return verdict_in(pair.responder.on_message_3(alpha_address(), datagram, pair.now));
  });
  EXPECT_TRUE(pair.to_beta_3(good));
  EXPECT_EQ(pair.beta_entropy.keys_made, 0u) << "no Diffie-Hellman";
}

TEST(EveryByte, OfMessage4) {
  Pair pair;
  const Message message_3 = pair.reach_message_3();
  const Answer answer = pair.answer_to(message_3);
  expect_all_noticed(answer.message, of_message_4, [&](Bytes datagram) {
    const auto taken = pair.initiator.on_message(datagram, pair.alpha_entropy, pair.now);
    EXPECT_EQ(pair.initiator.state(), State::awaiting_4);
    EXPECT_EQ(pair.initiator.outgoing(), message_3);
    return verdict_in(taken);
  });
  EXPECT_TRUE(pair.to_alpha(answer.message));
}

// Parameters under a good h, from one who holds the key: every byte that they have.
TEST(EveryByte, OfSealedParameters) {
  Pair pair;
  const Message good = pair.reach_message_3();
  const Message3 fields = read_message_3(good);
  const auto keys = crypto::derive_exchange_keys(pair.alpha_keys.link_key, fields.nonce_initiator,
                                                 fields.nonce_responder);
  const crypto::Digest t2 =
      chain(fields.h1, write_message_2({.h1 = fields.h1,
                                        .nonce_responder = fields.nonce_responder,
                                        .cookie = fields.cookie,
                                        .suite = fields.suite},
                                       pair.alpha_keys.k2));
  for (std::size_t at = 396; at < 540; ++at) {
    Message wrong = good;
    wrong[at] ^= std::byte{1};
    crypto::hmac_sha256(keys.dhmac_initiator.reveal(), {t2, Bytes{wrong}.first(message_body)},
                        std::span{wrong}.last<message_mac>());
    ASSERT_EQ(verdict_in(pair.to_beta_3(wrong)), std::optional{Verdict::bad_seal}) << at;
  }
  EXPECT_EQ(pair.beta_entropy.keys_made, 0u);
}

// What is in range by itself is agreed on, or refused by name; nothing else comes of it.
TEST(EveryByte, OfParameters) {
  const auto own = parameters(2);
  const ParameterBytes good = write_parameters(parameters(1));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      ParameterBytes bytes = good;
      bytes[at] = static_cast<std::byte>(value);
      const Parameters said = read_parameters(bytes);
      const auto shape = agree(own, said, Protection::aes256_ctr_sha256);
      if (at == 0 || at > 12 || bytes == good) {
        ASSERT_TRUE(shape) << at << " " << value;  // not examined here, or zeros
      } else if (at == 12) {
        ASSERT_EQ(shape, std::unexpected{Refusal::shaping}) << value;
      } else if (shape) {
        ASSERT_GE(shape->tag, limits::default_tag);
        ASSERT_LE(shape->size, own.frame_size);
      } else {
        ASSERT_TRUE(shape.error() == Refusal::parameters || shape.error() == Refusal::tag)
            << at << " " << value;
      }
    }
  }
}

}  // namespace
}  // namespace penstock::controlplane
