// RFC 8032 section 7.1 has the known answers.
#include "penstock/crypto/identity.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "memory_search.hpp"
#include "penstock/crypto/primitives.hpp"
#include "vectors.hpp"

namespace penstock::crypto {
namespace {

struct Answer {
  std::string_view seed, public_key, text, signature;
};

constexpr std::array answers{
    Answer{
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b"},
    Answer{
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
        "f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    Answer{
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
        "4dc6594a7c15e9716ed28dc027beceea1ec40a"}};

IdentityKey key_of(const Answer& row) {
  return IdentityKey{IdentitySeed{fixed<32>(from_hex(row.seed))}};
}

TEST(Identity, KnownAnswers) {
  for (const Answer& row : answers) {
    const IdentityKey key = key_of(row);
    EXPECT_EQ(to_hex(key.public_key().bytes), row.public_key);
    const ByteVector text = from_hex(row.text);
    const Signature signature = key.sign({text});
    EXPECT_EQ(to_hex(signature), row.signature);
    EXPECT_TRUE(is_signed_by(key.public_key(), {text}, signature));
  }
}

TEST(Identity, PartsAreOneText) {
  const IdentityKey key = key_of(answers[2]);
  const ByteVector text = from_hex(answers[2].text);
  const Bytes whole{text};
  EXPECT_EQ(key.sign({whole.first(1), Bytes{}, whole.last(1)}), key.sign({whole}));
  EXPECT_TRUE(is_signed_by(key.public_key(), {whole.first(1), whole.last(1)}, key.sign({whole})));
}

TEST(Identity, NoOtherTextKeyOrSignature) {
  const IdentityKey key = IdentityKey::generate();
  const IdentityKey other = IdentityKey::generate();
  ASSERT_NE(key.public_key(), other.public_key());
  std::array<std::byte, 40> text{};
  fill_random(text);
  const Signature signature = key.sign({text});
  EXPECT_FALSE(is_signed_by(other.public_key(), {text}, signature));
  EXPECT_FALSE(is_signed_by(key.public_key(), {text}, other.sign({text})));
  EXPECT_FALSE(is_signed_by(key.public_key(), {Bytes{text}.first(39)}, signature));
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Signature changed = signature;
    changed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    ASSERT_FALSE(is_signed_by(key.public_key(), {text}, changed)) << bit;
  }
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    auto changed = text;
    changed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    ASSERT_FALSE(is_signed_by(key.public_key(), {changed}, signature)) << bit;
  }
}

// Whatever the far side says its key is: points off the curve, small order, all bits set.
TEST(Identity, ValuesThatAreNoKeySignNothing) {
  const Signature signature = key_of(answers[0]).sign({});
  for (const unsigned fill : {0x00u, 0x01u, 0x7fu, 0x80u, 0xffu}) {
    IdentityPublic key;
    key.bytes.fill(static_cast<std::byte>(fill));
    EXPECT_FALSE(is_signed_by(key, {}, signature)) << fill;
  }
}

TEST(Identity, NoCopyOfTheSeedIsLeft) {
  if (!can_search_memory) GTEST_SKIP() << "AddressSanitizer's memory is too large to search";
  std::optional<IdentityKey> key = IdentityKey::generate();
  const Needle seed{key->seed().reveal()};
  EXPECT_EQ(count_in_memory(seed), 1u);
  const Signature signature = key->sign({as_bytes("text")});
  EXPECT_TRUE(is_signed_by(key->public_key(), {as_bytes("text")}, signature));
  EXPECT_EQ(count_in_memory(seed), 1u);
  IdentityKey moved = std::move(*key);
  key.reset();
  EXPECT_EQ(count_in_memory(seed), 1u);
  {
    const IdentityKey dies = std::move(moved);
  }
  EXPECT_EQ(count_in_memory(seed), 0u);
}

}  // namespace
}  // namespace penstock::crypto
