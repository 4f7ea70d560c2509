// The exchanges on the NIST curves: RFC 5903's answers, OpenSSL's own ECDH, and every kind of
// public value that is no uncompressed point of the curve.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "penstock/crypto/key_exchange.hpp"
#include "src/crypto/diffie_hellman.hpp"
#include "vectors.hpp"

namespace penstock::crypto {
namespace {

using BigNumber = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using Point = std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

std::string agreed(const EphemeralKey& key, Bytes peer) {
  const std::optional<SecretBuffer> shared = key.agree(peer);
  return shared ? to_hex(shared->reveal()) : "refused";
}

const unsigned char* data_of(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* data_of(ByteVector& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

ByteVector bytes_of(const BIGNUM* number, std::size_t size) {
  ByteVector out(size);
  EXPECT_GE(BN_bn2binpad(number, data_of(out), static_cast<int>(size)), 0);
  return out;
}

// One side's numbers in RFC 5903 section 8.
struct Side {
  std::string_view private_value;
  std::string_view x;
  std::string_view y;
};

struct Curve {
  KeyExchange kind;
  int nid;
  const char* name;
  std::size_t size;  // of a coordinate
  Side initiator;
  Side responder;
  std::string_view agreed;
};

constexpr Curve p_256{
    .kind = KeyExchange::p256,
    .nid = NID_X9_62_prime256v1,
    .name = "P-256",
    .size = 32,
    .initiator = {"c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
                  "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
                  "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3"},
    .responder = {"c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
                  "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63",
                  "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab"},
    .agreed = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"};

constexpr Curve p_384{.kind = KeyExchange::p384,
                      .nid = NID_secp384r1,
                      .name = "P-384",
                      .size = 48,
                      .initiator = {"099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f16"
                                    "0647b67414dce655e35b538041e649ee3faef896783ab194",
                                    "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e3"
                                    "1634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa",
                                    "9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ad"
                                    "a024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c"},
                      .responder = {"41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060"
                                    "855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc",
                                    "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d"
                                    "83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571",
                                    "dcfbec7aacf3196472169e838430367f66eebe3c6e70c416"
                                    "dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c"},
                      .agreed = "11187331c279962d93d604243fd592cb9d0a926f422e4718"
                                "7521287e7156c5c4d603135569b9e9d09cf5d4a270f59746"};

class PCurve : public testing::TestWithParam<Curve> {
 protected:
  const Curve& curve = GetParam();
  const std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group{
      EC_GROUP_new_by_curve_name(curve.nid), &EC_GROUP_free};
  const EphemeralKey key = EphemeralKey::generate(curve.kind);

  [[nodiscard]] EphemeralKey key_of(const Side& side) const {
    return EphemeralKey::from_private(curve.kind, from_hex(side.private_value));
  }
  [[nodiscard]] ByteVector good_point() const {
    const Bytes point = key.public_value();
    return {point.begin(), point.end()};
  }
  [[nodiscard]] BigNumber prime() const {
    BigNumber p{BN_new(), &BN_free};
    EXPECT_EQ(EC_GROUP_get_curve(group.get(), p.get(), nullptr, nullptr, nullptr), 1);
    return p;
  }
  // With OpenSSL's own ECDH objects, which are not what we exchange with.
  [[nodiscard]] Key fresh_key() const {
    const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr),
                             &EVP_PKEY_CTX_free};
    EVP_PKEY* made = nullptr;
    EXPECT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_group_name(context.get(), curve.name), 1);
    EXPECT_EQ(EVP_PKEY_generate(context.get(), &made), 1);
    return {made, &EVP_PKEY_free};
  }
  static ByteVector public_value_of(EVP_PKEY* from) {
    unsigned char* encoded = nullptr;
    const std::size_t size = EVP_PKEY_get1_encoded_public_key(from, &encoded);
    const auto* const first = reinterpret_cast<const std::byte*>(encoded);
    ByteVector out(first, first + size);
    OPENSSL_free(encoded);
    return out;
  }
  [[nodiscard]] std::string agreed_by_openssl(EVP_PKEY* own, Bytes peer) const {
    const Key other = fresh_key();
    EXPECT_EQ(EVP_PKEY_set1_encoded_public_key(other.get(), data_of(peer), peer.size()), 1);
    const KeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr), &EVP_PKEY_CTX_free};
    EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), other.get()), 1);
    ByteVector shared(curve.size);
    std::size_t size = shared.size();
    EXPECT_EQ(EVP_PKEY_derive(context.get(), data_of(shared), &size), 1);
    EXPECT_EQ(size, shared.size());
    return to_hex(shared);
  }
};

TEST_P(PCurve, KnownExchange) {
  const EphemeralKey i = key_of(curve.initiator);
  const EphemeralKey r = key_of(curve.responder);
  const auto point = [](const Side& side) {
    return "04" + std::string{side.x} + std::string{side.y};
  };
  EXPECT_EQ(to_hex(i.public_value()), point(curve.initiator));
  EXPECT_EQ(to_hex(r.public_value()), point(curve.responder));
  EXPECT_EQ(agreed(i, r.public_value()), curve.agreed);
  EXPECT_EQ(agreed(r, i.public_value()), curve.agreed);
}

TEST_P(PCurve, AgreesWithOpenSslsOwnEcdh) {
  for (int round = 0; round < 5; ++round) {
    const EphemeralKey ours = EphemeralKey::generate(curve.kind);
    const Key theirs = fresh_key();
    EXPECT_EQ(agreed(ours, public_value_of(theirs.get())),
              agreed_by_openssl(theirs.get(), ours.public_value()));
  }
}

// One agreed value in 256 begins with a zero byte.
TEST_P(PCurve, LeadingZerosAreKept) {
  const Key theirs = fresh_key();
  const ByteVector peer = public_value_of(theirs.get());
  bool is_found = false;
  for (int round = 0; round < 5000 && !is_found; ++round) {
    const EphemeralKey ours = EphemeralKey::generate(curve.kind);
    const std::string shared = agreed(ours, peer);
    is_found = shared.starts_with("00");
    if (is_found) {
      EXPECT_EQ(shared, agreed_by_openssl(theirs.get(), ours.public_value()));
    }
  }
  EXPECT_TRUE(is_found);
}

TEST_P(PCurve, PrivateValuesGoFromOneToTheOrderLessOne) {
  const auto is_private = group_of(curve.kind).is_private_value;
  ByteVector small(curve.size);
  EXPECT_FALSE(is_private(small)) << "0";
  small.back() = std::byte{1};
  EXPECT_TRUE(is_private(small)) << "1";
  const BigNumber n{BN_dup(EC_GROUP_get0_order(group.get())), &BN_free};
  EXPECT_FALSE(is_private(bytes_of(n.get(), curve.size))) << "n";
  BN_sub_word(n.get(), 1);
  EXPECT_TRUE(is_private(bytes_of(n.get(), curve.size))) << "n - 1";
  EXPECT_FALSE(is_private(ByteVector(curve.size, std::byte{0xff})));
}

TEST_P(PCurve, TheLastPrivateValueGivesTheGeneratorTurnedOver) {
  const BigNumber n{BN_dup(EC_GROUP_get0_order(group.get())), &BN_free};
  BN_sub_word(n.get(), 1);
  ByteVector one(curve.size);
  one.back() = std::byte{1};
  const auto first = EphemeralKey::from_private(curve.kind, one);
  const auto last = EphemeralKey::from_private(curve.kind, bytes_of(n.get(), curve.size));
  const auto x_of = [this](const EphemeralKey& of) {
    return to_hex(of.public_value().subspan(1, curve.size));
  };
  EXPECT_EQ(x_of(first), x_of(last));
  EXPECT_NE(to_hex(first.public_value()), to_hex(last.public_value()));
  EXPECT_EQ(agreed(last, first.public_value()), x_of(first));
}

TEST_P(PCurve, PointsOffTheCurveAreRefused) {
  for (std::size_t at = 1; at < 2 * curve.size + 1; at += 7) {
    ByteVector point = good_point();
    point[at] ^= std::byte{1};
    EXPECT_EQ(agreed(key, point), "refused") << at;
  }
  ByteVector swapped = good_point();
  std::rotate(swapped.begin() + 1, swapped.begin() + 1 + static_cast<std::ptrdiff_t>(curve.size),
              swapped.end());
  EXPECT_EQ(agreed(key, swapped), "refused");
}

TEST_P(PCurve, InfinityIsRefused) {
  ByteVector zeros(2 * curve.size + 1);
  EXPECT_EQ(agreed(key, zeros), "refused") << "SEC 1's one zero byte, padded";
  EXPECT_EQ(agreed(key, Bytes{zeros}.first(1)), "refused") << "SEC 1's one zero byte";
  zeros[0] = std::byte{4};
  EXPECT_EQ(agreed(key, zeros), "refused") << "an uncompressed point of zeros";
}

TEST_P(PCurve, OtherPrefixesAreRefused) {
  ByteVector point = good_point();
  for (unsigned prefix = 0; prefix < 256; ++prefix) {
    point[0] = static_cast<std::byte>(prefix);
    EXPECT_EQ(agreed(key, point) == "refused", prefix != 4) << prefix;
  }
}

TEST_P(PCurve, CompressedPointsAreRefused) {
  ByteVector point = good_point();
  for (const std::byte prefix : {std::byte{2}, std::byte{3}}) {
    point[0] = prefix;
    EXPECT_EQ(agreed(key, Bytes{point}.first(curve.size + 1)), "refused");
  }
}

// A point with so small an x that x + p still fits its bytes, and means the same.
TEST_P(PCurve, CoordinatesFromPUpAreRefused) {
  const Point point{EC_POINT_new(group.get()), &EC_POINT_free};
  const BigNumber x{BN_new(), &BN_free};
  while (EC_POINT_set_compressed_coordinates(group.get(), point.get(), x.get(), 0, nullptr) != 1)
    BN_add_word(x.get(), 1);
  ByteVector encoded(2 * curve.size + 1);
  ASSERT_EQ(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED,
                               data_of(encoded), encoded.size(), nullptr),
            encoded.size());
  EXPECT_NE(agreed(key, encoded), "refused") << "x itself";
  BN_add(x.get(), x.get(), prime().get());
  std::ranges::copy(bytes_of(x.get(), curve.size), encoded.begin() + 1);
  EXPECT_EQ(agreed(key, encoded), "refused") << "x + p";

  ByteVector high = good_point();
  std::fill(high.begin() + 1 + static_cast<std::ptrdiff_t>(curve.size), high.end(),
            std::byte{0xff});
  EXPECT_EQ(agreed(key, high), "refused") << "y of ones";
}

INSTANTIATE_TEST_SUITE_P(KeyExchange, PCurve, testing::Values(p_256, p_384),
                         [](const auto& test) { return std::string{to_string(test.param.kind)}; });

}  // namespace
}  // namespace penstock::crypto
