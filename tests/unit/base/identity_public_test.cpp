#include "penstock/base/identity_public.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/base/base64.hpp"
#include "penstock/base/bytes.hpp"

namespace penstock {
namespace {

std::string encoded(std::string_view text) {
  std::string out(base64_size(text.size()), '?');
  write_base64(as_bytes(text), out);
  return out;
}

bool decodes(std::string_view text, std::size_t size) {
  std::vector<std::byte> out(size);
  return read_base64(text, out);
}

// RFC 4648 section 10.
TEST(Base64, KnownAnswersBothWays) {
  constexpr std::pair<std::string_view, std::string_view> rows[] = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : rows) {
    EXPECT_EQ(encoded(plain), text);
    std::vector<std::byte> out(plain.size());
    ASSERT_TRUE(read_base64(text, out)) << text;
    EXPECT_TRUE(std::ranges::equal(out, as_bytes(plain))) << text;
  }
}

TEST(Base64, EveryByteSurvives) {
  std::vector<std::byte> bytes;
  for (unsigned value = 0; value < 256; ++value) bytes.push_back(static_cast<std::byte>(value));
  std::string text(base64_size(bytes.size()), '?');
  write_base64(bytes, text);
  std::vector<std::byte> out(bytes.size());
  ASSERT_TRUE(read_base64(text, out));
  EXPECT_EQ(out, bytes);
}

TEST(Base64, OneTextForEachValue) {
  EXPECT_FALSE(decodes("Zh==", 1)) << "bits that no byte has";
  EXPECT_FALSE(decodes("Zm9=", 2));
  EXPECT_FALSE(decodes("Zg", 1)) << "no padding";
  EXPECT_FALSE(decodes("Zg=A", 1));
  EXPECT_FALSE(decodes("Zg==", 2)) << "another length";
  EXPECT_FALSE(decodes("Zm8=", 3));
  EXPECT_FALSE(decodes("Zm9v", 2));
  EXPECT_FALSE(decodes("Zm-_", 3)) << "the other alphabet";
  EXPECT_FALSE(decodes("Zm9v\n", 3));
  EXPECT_FALSE(decodes(" m9v", 3));
}

// RFC 8410 section 10.1: the base64 of the whole key begins with its algorithm.
constexpr std::string_view example = "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

TEST(IdentityPublic, IsWrittenAsOpenSslWritesItsEnd) {
  const auto key = parse_identity_public(example);
  ASSERT_TRUE(key);
  EXPECT_EQ(to_hex(key->bytes), "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
  EXPECT_EQ(to_text(*key), example);
}

TEST(IdentityPublic, NothingElseIsOne) {
  const std::string good{example};
  EXPECT_FALSE(parse_identity_public(""));
  EXPECT_FALSE(parse_identity_public("ed25519:"));
  EXPECT_FALSE(parse_identity_public(good.substr(8)));
  EXPECT_FALSE(parse_identity_public("ED25519:" + good.substr(8)));
  EXPECT_FALSE(parse_identity_public("x25519:" + good.substr(8)));
  EXPECT_FALSE(parse_identity_public(good + "="));
  EXPECT_FALSE(parse_identity_public(good + " "));
  EXPECT_FALSE(parse_identity_public(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(parse_identity_public(
      "ed25519:MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="));
}

}  // namespace
}  // namespace penstock
