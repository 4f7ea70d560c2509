#include "penstock/base/suite.hpp"

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(Suite, names_and_codes_come_back) {
  const Suite x25519{KeyExchange::x25519, Protection::aes256_ctr_sha256};
  const Suite modp{KeyExchange::modp2048, Protection::aes256_ctr_sha256};
  EXPECT_EQ(to_string(x25519), "X25519-AES256_CTR-SHA256");
  EXPECT_EQ(to_string(modp), "MODP2048-AES256_CTR-SHA256");
  EXPECT_EQ(x25519.code(), 0x0101u);
  EXPECT_EQ(modp.code(), 0x0401u);
  for (const Suite suite : {x25519, modp}) {
    EXPECT_EQ(parse_suite(to_string(suite)), suite);
    EXPECT_EQ(suite_from_code(suite.code()), suite);
  }
}

TEST(Suite, unknown_ones_are_refused) {
  for (const char* name : {"", "X25519", "X25519-", "x25519-AES256_CTR-SHA256",
                           "X25519-AES256_CTR-SHA256 ", "X25519-AES128_CTR-SHA256"}) {
    EXPECT_FALSE(parse_suite(name)) << name;
  }
  for (const unsigned code : {0u, 0x0001u, 0x0100u, 0x0102u, 0x0201u, 0xffffu}) {
    EXPECT_FALSE(suite_from_code(static_cast<std::uint16_t>(code))) << code;
  }
}

}  // namespace
}  // namespace penstock
