// A pipe's handshake between two of us, in pieces, and against those who hold the key or do not and
// send what they like.
#include "controlplane/pipe/handshake.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/crypto/primitives.hpp"
#include "tests/unit/controlplane/seeded_entropy.hpp"

#include "controlplane/pipe/spare_entropy.hpp"

namespace penstock::controlplane::pipe {
namespace {

using ByteVector = std::vector<std::byte>;
constexpr std::size_t nonce_size = 32;
constexpr std::size_t proof_size = 288;
constexpr Secrecy not_forward{.is_forward = false};
constexpr Secrecy required{.is_required = true};

crypto::FileKey file_key(std::string_view contents = "of both") {
  return crypto::derive_file_key(as_bytes(contents));
}

ByteVector sent_by(Handshake& side) {
  const ByteVector sent(side.output().begin(), side.output().end());
  side.sent(sent.size());
  return sent;
}

// All of it at once, which it must want.
std::optional<Refusal> give(Handshake& side, Bytes bytes) {
  EXPECT_EQ(side.wanted(), bytes.size());
  return side.feed(bytes);
}

void expect_equal(const crypto::PipeDirectionKeys& a, const crypto::PipeDirectionKeys& b) {
  EXPECT_TRUE(equal_constant_time(a.encrypt.reveal(), b.encrypt.reveal()));
  EXPECT_TRUE(equal_constant_time(a.mac.reveal(), b.mac.reveal()));
}

struct Pair {
  explicit Pair(Secrecy of_client = {}, Secrecy of_server = {})
      : client(Role::client, of_client, key, client_entropy),
        server(Role::server, of_server, key, server_entropy) {}

  void exchange_nonces() {
    const ByteVector c = sent_by(client);
    const ByteVector s = sent_by(server);
    EXPECT_EQ(give(client, s), std::nullopt);
    EXPECT_EQ(give(server, c), std::nullopt);
  }
  std::optional<Refusal> run() {
    exchange_nonces();
    if (const auto refusal = give(server, sent_by(client))) return refusal;
    return give(client, sent_by(server));
  }
  void expect_same_keys() {
    const crypto::PipeSessionKeys c = client.take_keys();
    const crypto::PipeSessionKeys s = server.take_keys();
    expect_equal(c.client, s.client);
    expect_equal(c.server, s.server);
    EXPECT_FALSE(equal_constant_time(c.client.encrypt.reveal(), c.server.encrypt.reveal()));
    EXPECT_FALSE(equal_constant_time(c.client.mac.reveal(), c.server.mac.reveal()));
  }

  crypto::FileKey key = file_key();
  SeededEntropy client_entropy{1};
  SeededEntropy server_entropy{2};
  Handshake client;
  Handshake server;
};

void expect_closed(const Handshake& side) {
  EXPECT_FALSE(side.is_complete());
  EXPECT_EQ(side.wanted(), 0);
  EXPECT_TRUE(side.output().empty());
}

// One who holds the key and sends any y, as a peer of `side`.
class Holder {
 public:
  Holder(Handshake& side, Role of_side) : side_(side), role_of_side_(of_side) {
    const ByteVector theirs = sent_by(side);
    crypto::Nonce nonce{};
    std::ranges::copy(theirs, nonce.begin());
    const bool is_server = of_side == Role::client;
    keys_.emplace(crypto::derive_pipe_exchange_keys(file_key(), is_server ? nonce : crypto::Nonce{},
                                                    is_server ? crypto::Nonce{} : nonce));
    EXPECT_EQ(give(side, crypto::Nonce{}), std::nullopt);
  }
  std::optional<Refusal> send(Bytes y) {
    ByteVector proof(y.begin(), y.end());
    proof.resize(proof_size);
    const auto& key = role_of_side_ == Role::client ? keys_->dhmac_server : keys_->dhmac_client;
    crypto::hmac_sha256(key.reveal(), {y}, std::span{proof}.last<32>());
    return give(side_, proof);
  }

 private:
  Handshake& side_;
  Role role_of_side_;
  std::optional<crypto::PipeExchangeKeys> keys_;
};

ByteVector number(std::uint8_t value) {
  ByteVector y(256);
  y.back() = std::byte{value};
  return y;
}

// p has 64 one bits at either end: its last bytes are those of p + 1 + value less 2^64.
ByteVector p_plus(int value) {
  static constexpr std::string_view p_hex =
      "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e34"
      "04ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6"
      "f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a6916"
      "3fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c"
      "32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea95"
      "6ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff";
  ByteVector p(256);
  for (std::size_t i = 0; i < p.size(); ++i)
    p[i] = static_cast<std::byte>(std::stoi(std::string{p_hex.substr(2 * i, 2)}, nullptr, 16));
  for (; value < 0; ++value) p.back() = static_cast<std::byte>(load_u8(&p.back()) - 1);
  if (value > 0) {
    // One more than 2^64 - 1 carries.
    std::ranges::fill(std::span{p}.last<8>(), std::byte{});
    p[247] = static_cast<std::byte>(load_u8(&p[247]) + 1);
    p.back() = static_cast<std::byte>(value - 1);
  }
  return p;
}

TEST(PipeHandshake, AgreesWhetherForwardSecretOrNot) {
  for (const Secrecy of_client : {Secrecy{}, not_forward, required})
    for (const Secrecy of_server : {Secrecy{}, not_forward, required}) {
      if (of_client.is_required && !of_server.is_forward) continue;
      if (of_server.is_required && !of_client.is_forward) continue;
      Pair pair{of_client, of_server};
      ASSERT_EQ(pair.run(), std::nullopt);
      ASSERT_TRUE(pair.client.is_complete());
      ASSERT_TRUE(pair.server.is_complete());
      pair.expect_same_keys();
      EXPECT_EQ(pair.client_entropy.keys_made, of_client.is_forward ? 1 : 0);
      EXPECT_EQ(pair.server_entropy.keys_made, of_server.is_forward ? 1 : 0);
    }
}

TEST(PipeHandshake, AClientComputesItsOwnAhead) {
  Pair pair;
  for (int i = 0; i < 2; ++i) {
    pair.client.prepare();
    pair.server.prepare();
  }
  EXPECT_EQ(pair.client_entropy.keys_made, 1);
  EXPECT_EQ(pair.server_entropy.keys_made, 0);  // nobody has shown that they hold the key
  ASSERT_EQ(pair.run(), std::nullopt);
  pair.client.prepare();
  pair.expect_same_keys();
  EXPECT_EQ(pair.client_entropy.keys_made, 1);
  EXPECT_EQ(pair.server_entropy.keys_made, 1);
  EXPECT_FALSE(pair.client.is_complete());  // taken
}

TEST(PipeHandshake, AServerHasItsSpareComputedAhead) {
  Pair pair;
  SpareEntropy spare{pair.server_entropy};
  pair.server = Handshake{Role::server, {}, pair.key, spare};
  pair.server.prepare();
  EXPECT_EQ(pair.server_entropy.keys_made, 1);
  ASSERT_EQ(pair.run(), std::nullopt);
  EXPECT_EQ(pair.server_entropy.keys_made, 1);
  pair.server.prepare();  // it needs none any more
  EXPECT_EQ(pair.server_entropy.keys_made, 1);
  pair.expect_same_keys();
}

TEST(PipeHandshake, StrangersTogetherCostAServerOnePair) {
  const crypto::FileKey key = file_key();
  SeededEntropy source{1};
  SpareEntropy spare{source};
  for (int i = 0; i < 10; ++i) {
    Handshake server{Role::server, {}, key, spare};
    server.prepare();
    ASSERT_EQ(give(server, crypto::Nonce{}), std::nullopt);
    server.prepare();
    if (i % 2 == 0) continue;  // it went
    EXPECT_EQ(give(server, ByteVector(proof_size)), Refusal::bad_mac);
    server.prepare();
  }
  EXPECT_EQ(source.keys_made, 1);
}

TEST(PipeHandshake, HasNoSpareMadeWithoutForwardSecrecy) {
  SeededEntropy source{1};
  SpareEntropy spare{source};
  const crypto::FileKey key = file_key();
  for (const Role role : {Role::client, Role::server}) {
    Handshake side{role, not_forward, key, spare};
    side.prepare();
  }
  EXPECT_EQ(source.keys_made, 0);
}

TEST(PipeHandshake, HasOtherKeysEachTime) {
  Pair first{not_forward, not_forward};
  ASSERT_EQ(first.run(), std::nullopt);
  Pair second{not_forward, not_forward};
  SeededEntropy other{3};
  second.client = Handshake{Role::client, not_forward, second.key, other};
  ASSERT_EQ(second.run(), std::nullopt);
  const auto a = first.client.take_keys();
  const auto b = second.client.take_keys();
  EXPECT_FALSE(equal_constant_time(a.client.encrypt.reveal(), b.client.encrypt.reveal()));
  EXPECT_FALSE(equal_constant_time(a.client.mac.reveal(), b.client.mac.reveal()));
}

TEST(PipeHandshake, SendsOneWithoutForwardSecrecy) {
  Pair pair{not_forward, not_forward};
  pair.exchange_nonces();
  const ByteVector from_client = sent_by(pair.client);
  EXPECT_TRUE(std::ranges::equal(Bytes{from_client}.first<256>(), number(1)));
}

TEST(PipeHandshake, TakesItsBytesInPieces) {
  for (std::size_t cut = 1; cut < nonce_size + proof_size; ++cut) {
    if (cut == nonce_size) continue;
    Pair pair{not_forward, not_forward};
    Handshake& server = pair.server;
    // What a client sends behind its nonce it sends when it has the server's.
    const ByteVector nonce = sent_by(pair.client);
    ASSERT_EQ(give(pair.client, sent_by(server)), std::nullopt);
    ByteVector all = nonce;
    const ByteVector proof = sent_by(pair.client);
    all.insert(all.end(), proof.begin(), proof.end());
    std::size_t at = 0;
    for (const std::size_t end :
         {std::min(cut, nonce_size), std::max(cut, nonce_size), all.size()}) {
      ASSERT_EQ(server.feed(Bytes{all}.subspan(at, end - at)), std::nullopt) << cut;
      at = end;
    }
    ASSERT_TRUE(server.is_complete()) << cut;
    ASSERT_EQ(give(pair.client, sent_by(server)), std::nullopt);
    pair.expect_same_keys();
  }
}

TEST(PipeHandshake, TakesAndGivesOneByteAtATime) {
  Pair pair;
  const auto carry = [](Handshake& from, Handshake& to) {
    while (!from.output().empty()) {
      const std::byte byte = from.output().front();
      from.sent(1);
      ASSERT_EQ(to.feed({&byte, 1}), std::nullopt);
    }
  };
  for (int round = 0; round < 3; ++round) {
    carry(pair.client, pair.server);
    carry(pair.server, pair.client);
  }
  ASSERT_TRUE(pair.client.is_complete());
  ASSERT_TRUE(pair.server.is_complete());
  pair.expect_same_keys();
}

TEST(PipeHandshake, KeepsWhatItHasToSendUntilItIsSent) {
  Pair pair{not_forward, not_forward};
  const ByteVector nonce(pair.client.output().begin(), pair.client.output().end());
  pair.client.sent(10);
  ASSERT_EQ(give(pair.client, sent_by(pair.server)), std::nullopt);
  const Bytes rest = pair.client.output();
  ASSERT_EQ(rest.size(), nonce_size - 10 + proof_size);
  EXPECT_TRUE(std::ranges::equal(rest.first(nonce_size - 10), Bytes{nonce}.subspan(10)));
}

TEST(PipeHandshake, RefusesAnotherKeyBeforeItComputes) {
  Pair pair;
  const crypto::FileKey other = file_key("of another");
  SeededEntropy entropy{9};
  pair.server = Handshake{Role::server, {}, other, entropy};
  pair.exchange_nonces();
  EXPECT_EQ(give(pair.server, sent_by(pair.client)), Refusal::bad_mac);
  expect_closed(pair.server);
  EXPECT_EQ(entropy.keys_made, 0);
  EXPECT_DEATH((void)pair.server.take_keys(), "complete");
}

TEST(PipeHandshake, RefusesAnyChangedByte) {
  for (std::size_t at = 0; at < nonce_size + proof_size; ++at) {
    Pair pair{not_forward, {}};
    ByteVector nonce = sent_by(pair.client);
    ASSERT_EQ(give(pair.client, sent_by(pair.server)), std::nullopt);
    ByteVector proof = sent_by(pair.client);
    (at < nonce_size ? nonce[at] : proof[at - nonce_size]) ^= std::byte{4};
    ASSERT_EQ(give(pair.server, nonce), std::nullopt);
    ASSERT_EQ(give(pair.server, proof), Refusal::bad_mac) << at;
    expect_closed(pair.server);
    ASSERT_EQ(pair.server_entropy.keys_made, 0);
  }
}

TEST(PipeHandshake, RefusesAnyChangedByteOfTheServer) {
  for (std::size_t at = 0; at < proof_size; ++at) {
    Pair pair{not_forward, not_forward};
    pair.exchange_nonces();
    ASSERT_EQ(give(pair.server, sent_by(pair.client)), std::nullopt);
    ByteVector proof = sent_by(pair.server);
    proof[at] ^= std::byte{0x80};
    ASSERT_EQ(give(pair.client, proof), Refusal::bad_mac) << at;
    expect_closed(pair.client);
  }
}

TEST(PipeHandshake, RefusesItsOwnBytes) {
  Pair pair{not_forward, not_forward};
  ASSERT_EQ(give(pair.client, sent_by(pair.client)), std::nullopt);
  EXPECT_EQ(give(pair.client, sent_by(pair.client)), Refusal::bad_mac);
}

TEST(PipeHandshake, RefusesWhatNoHonestPeerSends) {
  const std::vector<ByteVector> bad = {number(0), p_plus(-1), p_plus(0), p_plus(1),
                                       ByteVector(256, std::byte{0xff})};
  for (const Role role : {Role::client, Role::server})
    for (const Secrecy secrecy : {Secrecy{}, not_forward, required})
      for (const ByteVector& y : bad) {
        const crypto::FileKey key = file_key();
        SeededEntropy entropy{1};
        Handshake side{role, secrecy, key, entropy};
        Holder peer{side, role};
        (void)sent_by(side);
        EXPECT_EQ(peer.send(y), Refusal::out_of_range);
        expect_closed(side);
      }
}

TEST(PipeHandshake, TakesTheSmallestAndTheLargestInRange) {
  for (const ByteVector& y : {number(2), p_plus(-2)}) {
    Pair pair;
    Holder peer{pair.server, Role::server};
    EXPECT_EQ(peer.send(y), std::nullopt);
    EXPECT_TRUE(pair.server.is_complete());
  }
}

TEST(PipeHandshake, RefusesOneWhereForwardSecrecyIsRequired) {
  for (const Role role : {Role::client, Role::server})
    for (const bool is_required : {false, true}) {
      const crypto::FileKey key = file_key();
      SeededEntropy entropy{1};
      Handshake side{role, {.is_required = is_required}, key, entropy};
      Holder peer{side, role};
      (void)sent_by(side);
      EXPECT_EQ(peer.send(number(1)),
                is_required ? std::optional{Refusal::not_forward} : std::nullopt);
      if (is_required) expect_closed(side);
      if (role == Role::server) {
        EXPECT_EQ(entropy.keys_made, is_required ? 0 : 1);
      }
    }
}

TEST(PipeHandshake, LeavesNoSecretBehind) {
  const std::size_t before = secret_memory::usage().bytes_in_use;
  {
    Pair pair;
    ASSERT_EQ(pair.run(), std::nullopt);
    pair.expect_same_keys();
    // All that is left is the file key.
    EXPECT_EQ(secret_memory::usage().bytes_in_use, before + crypto::FileKey::size);
  }
  EXPECT_EQ(secret_memory::usage().bytes_in_use, before);
}

}  // namespace
}  // namespace penstock::controlplane::pipe
