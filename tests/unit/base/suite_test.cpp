#include "penstock/base/suite.hpp"

#include <set>

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(Suite, every_name_and_code_comes_back) {
  std::set<std::string> names;
  std::set<std::uint16_t> codes;
  for (const KeyExchangeTraits& exchange : key_exchanges) {
    for (const ProtectionTraits& row : protections) {
      const Suite suite{exchange.key_exchange, row.protection};
      EXPECT_EQ(parse_suite(to_string(suite)), suite) << row.name;
      EXPECT_EQ(suite_from_code(suite.code()), suite) << row.name;
      names.insert(to_string(suite));
      codes.insert(suite.code());
    }
  }
  EXPECT_EQ(names.size(), key_exchanges.size() * protections.size());
  EXPECT_EQ(codes.size(), names.size());
}

// Sites of other versions rely on these.
TEST(Suite, names_and_codes_are_the_documented_ones) {
  const auto code = [](std::string_view name) {
    const auto suite = parse_suite(name);
    return suite ? suite->code() : 0;
  };
  EXPECT_EQ(code("X25519-AES256_CTR-SHA256"), 0x0101);
  EXPECT_EQ(code("X25519-AES128_CTR-SHA256"), 0x0102);
  EXPECT_EQ(code("X25519-AES256_CTR-SHA384"), 0x0103);
  EXPECT_EQ(code("X25519-AES256_GCM"), 0x0104);
  EXPECT_EQ(code("X25519-CHACHA20_POLY1305"), 0x0105);
  EXPECT_EQ(code("X25519-NULL"), 0x01ff);
  EXPECT_EQ(code("P256-AES256_CTR-SHA256"), 0x0201);
  EXPECT_EQ(code("P256-CHACHA20_POLY1305"), 0x0205);
  EXPECT_EQ(code("P256-NULL"), 0x02ff);
  EXPECT_EQ(code("P384-AES256_CTR-SHA384"), 0x0303);
  EXPECT_EQ(code("P384-AES256_GCM"), 0x0304);
  EXPECT_EQ(code("P384-NULL"), 0x03ff);
  EXPECT_EQ(code("MODP2048-AES256_CTR-SHA256"), 0x0401);
  EXPECT_EQ(code("MODP2048-AES128_CTR-SHA256"), 0x0402);
  EXPECT_EQ(code("MODP2048-AES256_CTR-SHA384"), 0x0403);
  EXPECT_EQ(code("MODP2048-AES256_GCM"), 0x0404);
  EXPECT_EQ(code("MODP2048-CHACHA20_POLY1305"), 0x0405);
  EXPECT_EQ(code("MODP2048-NULL"), 0x04ff);
}

TEST(Suite, unknown_ones_are_refused) {
  for (const char* name :
       {"", "NULL", "X25519", "X25519-", "AES256_GCM", "-AES256_GCM", "x25519-AES256_CTR-SHA256",
        "X25519-AES256_CTR-SHA256 ", "X25519-AES256_CTR", "X25519-AES128_GCM", "P521-AES256_GCM",
        "P-256-AES256_GCM", "p256-AES256_GCM"}) {
    EXPECT_FALSE(parse_suite(name)) << name;
  }
  for (const unsigned code :
       {0u, 0x0001u, 0x0100u, 0x0106u, 0x01feu, 0x0006u, 0x0501u, 0x00ffu, 0xff01u, 0xffffu}) {
    EXPECT_FALSE(suite_from_code(static_cast<std::uint16_t>(code))) << code;
  }
}

TEST(Suite, key_and_tag_lengths_are_those_of_the_algorithms) {
  struct Row {
    Protection protection;
    unsigned encrypt_key, mac_key, min_tag, max_tag;
    bool is_aead;
  };
  for (const Row& row : {Row{Protection::aes256_ctr_sha256, 32, 32, 12, 32, false},
                         Row{Protection::aes128_ctr_sha256, 16, 32, 12, 32, false},
                         Row{Protection::aes256_ctr_sha384, 32, 48, 12, 48, false},
                         Row{Protection::aes256_gcm, 32, 0, 16, 16, true},
                         Row{Protection::chacha20_poly1305, 32, 0, 16, 16, true},
                         Row{Protection::none, 0, 0, 0, 0, false}}) {
    const ProtectionTraits& is = traits(row.protection);
    EXPECT_EQ(is.protection, row.protection);
    EXPECT_EQ(is.encrypt_key, row.encrypt_key) << is.name;
    EXPECT_EQ(is.mac_key, row.mac_key) << is.name;
    EXPECT_EQ(is.min_tag, row.min_tag) << is.name;
    EXPECT_EQ(is.max_tag, row.max_tag) << is.name;
    EXPECT_EQ(is_aead(row.protection), row.is_aead) << is.name;
  }
}

TEST(Suite, a_tag_is_fitted_to_what_the_protection_has) {
  for (const Protection sha256 : {Protection::aes256_ctr_sha256, Protection::aes128_ctr_sha256}) {
    EXPECT_EQ(fit_tag(sha256, 0), 12);
    EXPECT_EQ(fit_tag(sha256, 11), 12);
    for (std::uint8_t tag = 12; tag <= 32; ++tag) EXPECT_EQ(fit_tag(sha256, tag), tag);
    EXPECT_EQ(fit_tag(sha256, 33), 32);
  }
  EXPECT_EQ(fit_tag(Protection::aes256_ctr_sha384, 48), 48);
  EXPECT_EQ(fit_tag(Protection::aes256_ctr_sha384, 255), 48);
  for (unsigned tag = 0; tag <= 255; ++tag) {
    const auto wanted = static_cast<std::uint8_t>(tag);
    EXPECT_EQ(fit_tag(Protection::aes256_gcm, wanted), 16);
    EXPECT_EQ(fit_tag(Protection::chacha20_poly1305, wanted), 16);
    EXPECT_EQ(fit_tag(Protection::none, wanted), 0);
  }
}

}  // namespace
}  // namespace penstock
