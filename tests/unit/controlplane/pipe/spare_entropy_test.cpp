// A key pair made ahead is given once, and is that of the kind that was asked for.
#include "controlplane/pipe/spare_entropy.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/seeded_entropy.hpp"

namespace penstock::controlplane::pipe {
namespace {

using ByteVector = std::vector<std::byte>;
constexpr auto kind = KeyExchange::x25519;  // any, and this is quick

ByteVector next_value(Entropy& entropy) {
  const crypto::EphemeralKey key = entropy.ephemeral_key(kind);
  return {key.public_value().begin(), key.public_value().end()};
}

struct SpareEntropyTest : testing::Test {
  SeededEntropy source{7};
  SpareEntropy spare{source};
};

TEST_F(SpareEntropyTest, GivesWhatTheSourceGivesInOrder) {
  SeededEntropy same{7};
  spare.prepare(kind);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(next_value(spare), next_value(same));
}

TEST_F(SpareEntropyTest, GivesAPairOnce) {
  for (int i = 0; i < 2; ++i) {
    spare.prepare(kind);
    const ByteVector first = next_value(spare);
    EXPECT_NE(next_value(spare), first);
  }
  EXPECT_EQ(source.keys_made, 4);
}

TEST_F(SpareEntropyTest, KeepsOne) {
  for (int i = 0; i < 3; ++i) spare.prepare(kind);
  EXPECT_EQ(source.keys_made, 1);
  (void)next_value(spare);
  EXPECT_EQ(source.keys_made, 1);
}

TEST_F(SpareEntropyTest, GivesNoOtherKind) {
  spare.prepare(kind);
  const crypto::EphemeralKey other = spare.ephemeral_key(KeyExchange::p256);
  EXPECT_EQ(other.public_value().size(), crypto::public_value_size(KeyExchange::p256));
  (void)next_value(spare);
  EXPECT_EQ(source.keys_made, 2);
}

TEST_F(SpareEntropyTest, LeavesNoSecretBehind) {
  const std::size_t before = secret_memory::usage().bytes_in_use;
  {
    SpareEntropy other{source};
    other.prepare(kind);
    EXPECT_GT(secret_memory::usage().bytes_in_use, before);
  }
  EXPECT_EQ(secret_memory::usage().bytes_in_use, before);
}

}  // namespace
}  // namespace penstock::controlplane::pipe
