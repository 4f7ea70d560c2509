// The handshakes of tests/vectors, which another implementation made: from the same randomness this
// one makes the same bytes.
#include "tests/unit/crypto/vectors.hpp"

#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/handshake/pair.hpp"
#include "tests/unit/controlplane/scripted_entropy.hpp"

namespace penstock::controlplane {
namespace {

using crypto::ByteVector;
using crypto::fixed;
using crypto::Record;

std::string text(const ByteVector& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Parameters wishes(const ByteVector& sealed) {
  Parameters parameters = read_parameters(fixed<parameters_size>(sealed));
  parameters.identity.reset();
  return parameters;
}

std::optional<Identity> identity(Record& record, const std::string& own, const std::string& peer) {
  if (!record.contains("identity_" + own)) return std::nullopt;
  Identity made{.own = std::make_shared<const crypto::IdentityKey>(
                    crypto::IdentitySeed{fixed<32>(record["identity_" + own])}),
                .peer = {}};
  EXPECT_TRUE(std::ranges::equal(made.own->public_key().bytes, record["pk_" + own]));
  std::ranges::copy(record["pk_" + peer], made.peer.bytes.begin());
  return made;
}

class HandshakeVectors : public testing::TestWithParam<const char*> {};

TEST_P(HandshakeVectors, AreMadeAgain) {
  Record record = crypto::read_vectors(std::string{"handshake_"} + GetParam() + ".txt").front();
  const auto keys = [&] {
    return derive_link_keys(crypto::derive_file_key(record["key_file"]), text(record["initiator"]),
                            text(record["responder"]));
  };
  const LinkKeys alpha_keys = keys();
  const LinkKeys beta_keys = keys();
  const auto alpha = identity(record, "i", "r");
  const auto beta = identity(record, "r", "i");
  ScriptedEntropy alpha_draws{{record["nonce_i"], record["private_i"]}};
  const ByteVector start(8);  // the cookie's clock, which `now` sets
  ScriptedEntropy beta_draws{
      {start, record["cookie_secret"], record["nonce_r"], record["private_r"]}};
  const Time now = std::chrono::seconds{load_be32(record["epoch"].data())};

  Message message_1;
  std::ranges::copy(record["message_1"], message_1.begin());
  const Message1 fields = read_message_1(message_1, alpha_keys.k1).value();
  std::vector<Suite> offer;
  for (const std::uint16_t code : fields.suites) offer.push_back(suite_from_code(code).value());
  const Suite chosen = suite_from_code(load_be16(record["suite"].data())).value();

  Initiator initiator{alpha_keys,  offer, wishes(record["parameters_i"]),
                      alpha_draws, now,   alpha ? &*alpha : nullptr};
  Responder responder{beta_keys, {chosen}, beta_draws, beta ? &*beta : nullptr};
  const auto is = [&](const Message& message, const char* name) {
    return std::ranges::equal(message, record[name]);
  };
  ASSERT_TRUE(is(initiator.outgoing(), "message_1"));
  const Message message_2 =
      responder.on_message_1(alpha_address(), initiator.outgoing(), beta_draws, now).value();
  ASSERT_TRUE(is(message_2, "message_2"));
  ASSERT_TRUE(initiator.on_message(message_2, alpha_draws, now));
  ASSERT_TRUE(is(initiator.outgoing(), "message_3"));
  auto proven = responder.on_message_3(alpha_address(), initiator.outgoing(), now + 3s).value();
  const Answer answer = responder
                            .answer(std::get<ProvenMessage3>(proven),
                                    wishes(record["parameters_r"]), beta_draws, now + 3s)
                            .value();
  ASSERT_TRUE(is(answer.message, "message_4"));
  ASSERT_TRUE(initiator.on_message(answer.message, alpha_draws, now + 3s));
  const Agreement agreement = initiator.take_agreement();
  EXPECT_TRUE(std::ranges::equal(agreement.session_id, record["t4"]));
  EXPECT_TRUE(std::ranges::equal(agreement.secret.reveal(), record["secret"]));
  EXPECT_EQ(agreement.shape.tag, load_u8(record["tag"].data()));
  EXPECT_EQ(agreement.shape.size, load_be16(record["frame_size"].data()));
}

INSTANTIATE_TEST_SUITE_P(Handshake, HandshakeVectors,
                         testing::Values("x25519", "p256", "p384", "modp2048", "identities"),
                         [](const auto& test) { return std::string{test.param}; });

}  // namespace
}  // namespace penstock::controlplane
