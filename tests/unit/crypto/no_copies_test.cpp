// After the last use of a secret of the handshake no copy of it is left anywhere in the process:
// not by us, not by OpenSSL. A copy that is still allowed shows that the search works.
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "memory_search.hpp"
#include "penstock/crypto/key_exchange.hpp"
#include "penstock/crypto/key_schedule.hpp"
#include "penstock/crypto/primitives.hpp"
#include "src/crypto/openssl_memory.hpp"

namespace penstock::crypto {
namespace {

class NoCopies : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_search_memory) GTEST_SKIP() << "AddressSanitizer's memory is too large to search";
  }
};

SecretBuffer random_secret(std::size_t size) {
  SecretBuffer secret{size};
  fill_random(secret.fill());
  return secret;
}

TEST_F(NoCopies, TheSearchFindsWhatIsThereAndOnlyThat) {
  std::optional<SecretBuffer> secret = random_secret(32);
  const Needle needle{secret->reveal()};
  EXPECT_EQ(count_in_memory(needle), 1u);
  std::optional<SecretBuffer> copy{32};
  std::ranges::copy(secret->reveal(), copy->fill().begin());
  EXPECT_EQ(count_in_memory(needle), 2u);
  copy.reset();
  EXPECT_EQ((MemorySearch{{&needle, 1}}.found_in_the_open()), std::vector<std::size_t>{0});
  std::array<std::byte, 32> in_the_open{};
  std::ranges::copy(secret->reveal(), in_the_open.begin());
  EXPECT_EQ((MemorySearch{{&needle, 1}}.found_in_the_open()), std::vector<std::size_t>{1});
  wipe(in_the_open);
  EXPECT_EQ(count_in_memory(needle), 1u);
  secret.reset();
  EXPECT_EQ(count_in_memory(needle), 0u);
}

TEST_F(NoCopies, OfWhatOpenSslFrees) { EXPECT_TRUE(openssl::is_freed_memory_wiped()); }

// The ways in which a number may lie in memory: its bytes from the highest or from the lowest,
// and the half of it that free() does not write over.
std::vector<Needle> needles_of(Bytes number) {
  std::vector<std::byte> reversed{number.rbegin(), number.rend()};
  const Bytes both[] = {number, reversed};
  std::vector<Needle> needles;
  for (const Bytes order : both) {
    needles.emplace_back(order);
    needles.emplace_back(order.last(Needle::size));
  }
  wipe(reversed);
  return needles;
}

class NoCopiesOfAnExchange : public NoCopies, public testing::WithParamInterface<KeyExchange> {};

TEST_P(NoCopiesOfAnExchange, OfAPrivateValueAndWhatWasAgreed) {
  const KeyExchange kind = GetParam();
  const std::vector<std::size_t> ours_alone{1, 1, 0, 0};
  const std::vector<std::size_t> none(4);
  std::optional<SecretBuffer> x = random_secret(private_value_size(kind));
  const std::vector<Needle> private_value = needles_of(x->reveal());
  std::optional<EphemeralKey> key = EphemeralKey::from_private(kind, x->reveal());
  x.reset();
  EXPECT_EQ(count_in_memory(private_value), ours_alone);
  std::optional<SecretBuffer> shared = key->agree(EphemeralKey::generate(kind).public_value());
  ASSERT_TRUE(shared);
  const std::vector<Needle> agreed = needles_of(shared->reveal());
  EXPECT_EQ(count_in_memory(private_value), ours_alone);
  EXPECT_EQ(count_in_memory(agreed), ours_alone);
  shared.reset();
  key.reset();
  EXPECT_EQ(count_in_memory(private_value), none);
  EXPECT_EQ(count_in_memory(agreed), none);
}

INSTANTIATE_TEST_SUITE_P(KeyExchange, NoCopiesOfAnExchange,
                         testing::Values(KeyExchange::x25519, KeyExchange::p256, KeyExchange::p384,
                                         KeyExchange::modp2048),
                         [](const auto& test) { return std::string{to_string(test.param)}; });

TEST_F(NoCopies, OfWhatGoesThroughTheKeySchedule) {
  std::optional<SecretBuffer> key_file = random_secret(100);
  std::optional<SecretBuffer> shared = random_secret(256);
  const Needle file{key_file->reveal()};
  const Needle agreed{shared->reveal()};
  std::optional<FileKey> k = derive_file_key(key_file->reveal());
  const Needle k_needle{k->reveal()};
  key_file.reset();
  std::optional<LinkKey> p = derive_link_key(*k, "alpha", "beta");
  const Needle p_needle{p->reveal()};
  k.reset();
  std::optional<SessionSecret> secret = derive_session_secret(*p, {}, {}, shared->reveal());
  const Needle secret_needle{secret->reveal()};
  p.reset();
  shared.reset();
  (void)derive_message_4_seal(*secret, {}, {});
  secret.reset();
  for (const Needle& needle : {file, agreed, k_needle, p_needle, secret_needle})
    EXPECT_EQ(count_in_memory(needle), 0u);
}

TEST_F(NoCopies, OfTheKeyAndTextOfASealedMessage) {
  std::optional<SecretBuffer> key = random_secret(32);
  std::optional<SecretBuffer> plain = random_secret(200);
  const Needle key_needle{key->reveal()};
  const Needle plain_needle{plain->reveal()};
  std::array<std::byte, 216> sealed{};
  const std::span<const std::byte, 32> key_bytes{key->reveal()};
  aead_seal_once(key_bytes, {}, plain->reveal(), sealed);
  ASSERT_TRUE(aead_open_once(key_bytes, {}, sealed, plain->fill()));
  sealed[0] ^= std::byte{1};
  SecretBuffer forged{200};
  ASSERT_FALSE(aead_open_once(key_bytes, {}, sealed, forged.fill()));
  EXPECT_EQ(count_in_memory(key_needle), 1u);
  EXPECT_EQ(count_in_memory(plain_needle), 1u);
  key.reset();
  plain.reset();
  EXPECT_EQ(count_in_memory(key_needle), 0u);
  EXPECT_EQ(count_in_memory(plain_needle), 0u);
}

}  // namespace
}  // namespace penstock::crypto
