#include "penstock/crypto/key_exchange.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "penstock/crypto/primitives.hpp"
#include "vectors.hpp"

namespace penstock::crypto {
namespace {

constexpr auto x25519 = KeyExchange::x25519;
constexpr auto modp2048 = KeyExchange::modp2048;

EphemeralKey key_from(KeyExchange kind, const ByteVector& x) {
  return EphemeralKey::from_private(kind, x);
}

// The agreed value in hexadecimal, or "refused".
std::string agreed(const EphemeralKey& key, Bytes peer) {
  const std::optional<SecretBuffer> shared = key.agree(peer);
  return shared ? to_hex(shared->reveal()) : "refused";
}

std::vector<KeyExchange> every_kind() {
  std::vector<KeyExchange> kinds;
  for (const KeyExchangeTraits& row : key_exchanges) kinds.push_back(row.key_exchange);
  return kinds;
}

class EveryKind : public testing::TestWithParam<KeyExchange> {};

TEST_P(EveryKind, TwoFreshKeysAgree) {
  const EphemeralKey one = EphemeralKey::generate(GetParam());
  const EphemeralKey two = EphemeralKey::generate(GetParam());
  EXPECT_EQ(one.public_value().size(), public_value_size(GetParam()));
  EXPECT_FALSE(std::ranges::equal(one.public_value(), two.public_value()));
  EXPECT_EQ(agreed(one, two.public_value()).size(), 2 * exchange_sizes(GetParam()).agreed);
  EXPECT_EQ(agreed(one, two.public_value()), agreed(two, one.public_value()));
}

TEST_P(EveryKind, OnlyTheFixedLengthIsTaken) {
  const EphemeralKey key = EphemeralKey::generate(GetParam());
  const EphemeralKey other = EphemeralKey::generate(GetParam());
  ByteVector peer{other.public_value().begin(), other.public_value().end()};
  EXPECT_NE(agreed(key, peer), "refused");
  EXPECT_EQ(agreed(key, Bytes{peer}.first(peer.size() - 1)), "refused");
  EXPECT_EQ(agreed(key, {}), "refused");
  peer.push_back({});
  EXPECT_EQ(agreed(key, peer), "refused");
}

TEST_P(EveryKind, SurvivesAMove) {
  EphemeralKey from = EphemeralKey::generate(GetParam());
  const EphemeralKey peer = EphemeralKey::generate(GetParam());
  const std::string before = agreed(from, peer.public_value());
  const EphemeralKey to{std::move(from)};
  EXPECT_EQ(agreed(to, peer.public_value()), before);
}

INSTANTIATE_TEST_SUITE_P(KeyExchange, EveryKind, testing::ValuesIn(every_kind()),
                         [](const auto& test) { return std::string{to_string(test.param)}; });

// RFC 7748 section 5.2.
TEST(X25519, KnownMultiples) {
  EXPECT_EQ(agreed(key_from(x25519, from_hex("a546e36bf0527c9d3b16154b82465edd"
                                             "62144c0ac1fc5a18506a2244ba449ac4")),
                   from_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(agreed(key_from(x25519, from_hex("4b66e9d4d1b4673c5ad22691957d6af5"
                                             "c11b6421e0ea01d42ca4169e7918ba0d")),
                   from_hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519, KnownMultipleAfterAThousandRounds) {
  ByteVector k(32);
  k[0] = std::byte{9};
  ByteVector u = k;
  for (int round = 1; round <= 1000; ++round) {
    const ByteVector next = from_hex(agreed(key_from(x25519, k), u));
    u = std::exchange(k, next);
    if (round == 1) {
      EXPECT_EQ(to_hex(k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(to_hex(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

// RFC 7748 section 6.1.
TEST(X25519, KnownExchange) {
  const EphemeralKey alice = key_from(
      x25519, from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
  const EphemeralKey bob = key_from(
      x25519, from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  EXPECT_EQ(to_hex(alice.public_value()),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(to_hex(bob.public_value()),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const char* const shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  EXPECT_EQ(agreed(alice, bob.public_value()), shared);
  EXPECT_EQ(agreed(bob, alice.public_value()), shared);
}

// The points of order 1, 2, 4 and 8 and their non-canonical spellings.
TEST(X25519, PointsOfSmallOrderAreRefused) {
  const EphemeralKey key = EphemeralKey::generate(x25519);
  for (const char* point : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
       })
    EXPECT_EQ(agreed(key, from_hex(point)), "refused") << point;
}

// Python's integers, and p from its formula with pi (make_vectors.py).
TEST(Modp2048, KnownAnswers) {
  for (Record& record : read_vectors("modp2048.txt")) {
    const EphemeralKey key = key_from(modp2048, record["x"]);
    EXPECT_EQ(to_hex(key.public_value()), to_hex(record["y"]));
    EXPECT_EQ(agreed(key, record["peer"]), to_hex(record["shared"]));
  }
}

// 2^x, however x is taken apart: against OpenSSL's exponentiation.
TEST(Modp2048, PublicValuesArePowersOfTwo) {
  using BigNumber = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> scratch{BN_CTX_new(), &BN_CTX_free};
  const BigNumber p{BN_get_rfc3526_prime_2048(nullptr), &BN_free};
  const BigNumber two{BN_new(), &BN_free};
  ASSERT_EQ(BN_set_word(two.get(), 2), 1);
  const auto expect_power = [&](const ByteVector& x) {
    const BigNumber number{BN_bin2bn(reinterpret_cast<const unsigned char*>(x.data()), 32, nullptr),
                           &BN_free};
    const BigNumber y{BN_new(), &BN_free};
    ASSERT_EQ(BN_mod_exp(y.get(), two.get(), number.get(), p.get(), scratch.get()), 1);
    ByteVector expected(256);
    BN_bn2binpad(y.get(), reinterpret_cast<unsigned char*>(expected.data()), 256);
    EXPECT_EQ(to_hex(key_from(modp2048, x).public_value()), to_hex(expected)) << to_hex(x);
  };
  expect_power(ByteVector(32));
  expect_power(ByteVector(32, std::byte{0xff}));
  for (std::size_t digit = 0; digit < 64; ++digit)
    for (unsigned value = 1; value < 16; ++value) {
      ByteVector x(32);
      x[digit / 2] = static_cast<std::byte>(digit % 2 == 0 ? value << 4U : value);
      expect_power(x);
    }
  for (int round = 0; round < 100; ++round) {
    ByteVector x(32);
    fill_random(x);
    expect_power(x);
  }
}

TEST(Modp2048, LeadingZerosAreKept) {
  bool in_public_value = false;
  bool in_shared_value = false;
  for (Record& record : read_vectors("modp2048.txt")) {
    in_public_value = in_public_value || record["y"][0] == std::byte{0};
    in_shared_value = in_shared_value || record["shared"][0] == std::byte{0};
  }
  EXPECT_TRUE(in_public_value && in_shared_value) << "the vectors above cover both";
}

TEST(Modp2048, ValuesOutOfRangeAreRefused) {
  const EphemeralKey key = EphemeralKey::generate(modp2048);
  using BigNumber = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
  const BigNumber number{BN_get_rfc3526_prime_2048(nullptr), &BN_free};
  const auto value_of = [&number] {
    ByteVector bytes(256);
    BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(bytes.data()), 256);
    return bytes;
  };
  EXPECT_EQ(agreed(key, value_of()), "refused") << "p";
  BN_sub_word(number.get(), 1);
  EXPECT_EQ(agreed(key, value_of()), "refused") << "p - 1";
  BN_sub_word(number.get(), 1);
  EXPECT_NE(agreed(key, value_of()), "refused") << "p - 2";
  BN_add_word(number.get(), 3);
  EXPECT_EQ(agreed(key, value_of()), "refused") << "p + 1";
  EXPECT_EQ(agreed(key, ByteVector(256, std::byte{0xff})), "refused") << "2^2048 - 1";
  ByteVector small(256);
  EXPECT_EQ(agreed(key, small), "refused") << "0";
  small[255] = std::byte{1};
  EXPECT_EQ(agreed(key, small), "refused") << "1";
  small[255] = std::byte{2};
  EXPECT_NE(agreed(key, small), "refused") << "2";
}

// OpenSSL's DH objects, which work another way than our exponentiation.
class OpenSslDh {
 public:
  OpenSslDh() {
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context{
        EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr), &EVP_PKEY_CTX_free};
    char group[] = "modp_2048";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_end()};
    EXPECT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_params(context.get(), parameters), 1);
    EVP_PKEY* key = nullptr;
    EXPECT_EQ(EVP_PKEY_generate(context.get(), &key), 1);
    key_.reset(key);
  }
  [[nodiscard]] ByteVector public_value() const {
    BIGNUM* value = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, &value), 1);
    ByteVector bytes(256);
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), 256);
    BN_free(value);
    return bytes;
  }
  [[nodiscard]] std::string agreed_with(Bytes peer) const {
    EVP_PKEY* const copy = EVP_PKEY_new();
    EXPECT_EQ(EVP_PKEY_copy_parameters(copy, key_.get()), 1);
    EXPECT_EQ(EVP_PKEY_set1_encoded_public_key(
                  copy, reinterpret_cast<const unsigned char*>(peer.data()), peer.size()),
              1);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> other{copy, &EVP_PKEY_free};
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context{
        EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr), &EVP_PKEY_CTX_free};
    EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
    unsigned pad = 1;
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &pad),
                                     OSSL_PARAM_construct_end()};
    EXPECT_EQ(EVP_PKEY_CTX_set_params(context.get(), parameters), 1);
    EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), other.get()), 1);
    ByteVector shared(256);
    std::size_t size = shared.size();
    EXPECT_EQ(
        EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(shared.data()), &size), 1);
    EXPECT_EQ(size, shared.size());
    return to_hex(shared);
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{nullptr, &EVP_PKEY_free};
};

TEST(Modp2048, AgreesWithOpenSslsOwnDh) {
  for (int round = 0; round < 5; ++round) {
    const EphemeralKey ours = EphemeralKey::generate(modp2048);
    const OpenSslDh theirs;
    EXPECT_EQ(agreed(ours, theirs.public_value()), theirs.agreed_with(ours.public_value()));
  }
}

}  // namespace
}  // namespace penstock::crypto
