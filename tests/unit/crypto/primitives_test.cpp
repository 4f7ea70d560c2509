#include "penstock/crypto/primitives.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace penstock::crypto {
namespace {

bool is_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// FIPS 180-4, the examples NIST published with it.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256({as_bytes("abc")})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256({as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")})),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const std::string million(1'000'000, 'a');
  EXPECT_EQ(to_hex(sha256({as_bytes(million)})),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PartsAreConcatenated) {
  EXPECT_EQ(sha256({as_bytes("a"), {}, as_bytes("bc")}), sha256({as_bytes("abc")}));
}

// RFC 4231 (case 5 truncates and is left out).
TEST(HmacSha256, KnownAnswers) {
  struct Case {
    ByteVector key;
    std::string data;
    const char* mac;
  };
  const std::array cases{
      Case{ByteVector(20, std::byte{0x0b}), "Hi There",
           "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      Case{from_hex("4a656665"), "what do ya want for nothing?",
           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      Case{ByteVector(20, std::byte{0xaa}), std::string(50, '\xdd'),
           "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      Case{from_hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
           "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      Case{ByteVector(131, std::byte{0xaa}),
           "Test Using Larger Than Block-Size Key - Hash Key First",
           "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      Case{ByteVector(131, std::byte{0xaa}),
           "This is a test using a larger than block-size key and a larger than block-size data. "
           "The key needs to be hashed before being used by the HMAC algorithm.",
           "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const Case& known : cases) {
    Digest mac{};
    hmac_sha256(known.key, {as_bytes(known.data)}, mac);
    EXPECT_EQ(to_hex(mac), known.mac);
    const std::string_view data{known.data};
    hmac_sha256(known.key, {as_bytes(data.substr(0, 3)), as_bytes(data.substr(3))}, mac);
    EXPECT_EQ(to_hex(mac), known.mac) << "in two parts";
  }
}

TEST(HmacSha256, TheEmptyKeyIsAKey) {
  Digest mac{};
  hmac_sha256({}, {}, mac);
  EXPECT_EQ(to_hex(mac), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// RFC 7914 section 11, and RFC 6070's inputs with SHA-256.
TEST(Pbkdf2Sha256, KnownAnswers) {
  std::array<std::byte, 64> out{};
  pbkdf2_sha256(as_bytes("passwd"), {as_bytes("salt")}, out);
  EXPECT_EQ(to_hex(out), "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                         "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
  pbkdf2_sha256(as_bytes("password"), {as_bytes("sa"), as_bytes("lt")}, std::span{out}.first(32));
  EXPECT_EQ(to_hex(std::span{out}.first(32)),
            "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
}

// RFC 5869 appendix A: the expand step of cases 1 to 3.
TEST(HkdfExpandSha256, KnownAnswers) {
  const auto expand = [](std::string_view key, std::string_view info, std::size_t size) {
    ByteVector out(size);
    const ByteVector key_bytes = from_hex(key);
    hkdf_expand_sha256(fixed<32>(key_bytes), {from_hex(info)}, out);
    return to_hex(out);
  };
  EXPECT_EQ(expand("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
                   "f0f1f2f3f4f5f6f7f8f9", 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(
      expand("06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
             "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6"
             "d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfe"
             "ff",
             82),
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb"
      "41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(expand("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04", "", 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(HkdfExpandSha256, TheLongestOutputIsAsLongAsItsBlocks) {
  const std::array<std::byte, 32> key{};
  ByteVector longest(std::size_t{255} * 32);
  hkdf_expand_sha256(key, {as_bytes("info")}, longest);
  ByteVector cut(longest.size() - 1);
  hkdf_expand_sha256(key, {as_bytes("info")}, cut);
  EXPECT_TRUE(std::ranges::equal(cut, Bytes{longest}.first(cut.size())));
  EXPECT_DEATH(
      {
        ByteVector too_long(longest.size() + 1);
        hkdf_expand_sha256(key, {as_bytes("info")}, too_long);
      },
      "255 blocks");
}

// RFC 8439, through an implementation of its own that passes section 2.8.2 (make_vectors.py).
TEST(AeadOnce, KnownAnswers) {
  for (Record& record : read_vectors("aead_once.txt")) {
    ByteVector sealed(record["plain"].size() + aead_tag);
    aead_seal_once(fixed<32>(record["key"]), record["associated"], record["plain"], sealed);
    EXPECT_EQ(to_hex(sealed), to_hex(record["sealed"]));
    ByteVector plain(record["plain"].size());
    EXPECT_TRUE(aead_open_once(fixed<32>(record["key"]), record["associated"], sealed, plain));
    EXPECT_EQ(plain, record["plain"]);
  }
}

TEST(AeadOnce, EverySingleBitMatters) {
  Record record = read_vectors("aead_once.txt")[1];
  ByteVector plain(record["plain"].size());
  const auto opens = [&] {
    std::ranges::fill(plain, std::byte{0xa5});
    return aead_open_once(fixed<32>(record["key"]), record["associated"], record["sealed"], plain);
  };
  ASSERT_TRUE(opens());
  for (const char* field : {"key", "associated", "sealed"}) {
    ByteVector& bytes = record[field];
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] ^= std::byte{1} << (bit % 8);
      EXPECT_FALSE(opens()) << field << " bit " << bit;
      EXPECT_TRUE(is_zero(plain)) << "what was decrypted must be wiped";
      bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    }
  }
  record["associated"].push_back(std::byte{0});
  EXPECT_FALSE(opens());
}

TEST(FillRandom, FillsEveryByteAndNeverTwiceTheSame) {
  std::array<std::byte, 300> any{};
  for (int round = 0; round < 20; ++round) {
    std::array<std::byte, 300> bytes{};
    fill_random(bytes);
    for (std::size_t i = 0; i < any.size(); ++i) any[i] |= bytes[i];
  }
  // After 20 rounds a byte that random bits reach is zero with probability 2^-160.
  EXPECT_TRUE(std::ranges::none_of(any, [](std::byte b) { return b == std::byte{0}; }));
  Digest one{};
  Digest two{};
  fill_random(one);
  fill_random(two);
  EXPECT_NE(one, two);
  fill_random({});
}

}  // namespace
}  // namespace penstock::crypto
