// The keys of an SA, all that is computed from them, and an engine's scratch live in secret
// memory and nowhere else, and none of it outlives the SA and the engine.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "every_engine.hpp"
#include "penstock/crypto/primitives.hpp"
#include "sa_secrets.hpp"
#include "test_sa.hpp"

namespace penstock {
namespace {

std::size_t secret_bytes() { return secret_memory::usage().bytes_in_use; }

// Seals and opens `count` frames of one SA; every other one is refused.
void use(FrameEngine& engine, TestSa& sa, std::size_t count, Dice& dice) {
  std::vector<Frame> frames(count, clear_frame(sa.shape, dice));
  std::vector<SealJob> to_seal;
  std::vector<OpenJob> to_open;
  for (Frame& frame : frames) {
    to_seal.push_back({.keys = &sa.sealer, .frame = frame.data()});
    to_open.push_back({.keys = &sa.opener, .frame = frame.data()});
  }
  engine.seal(to_seal);
  for (std::size_t i = 0; i < count; i += 2) frames[i].back() ^= std::byte{1};
  engine.open(to_open);
}

class EngineSecrets : public EveryEngine {};
INSTANTIATE_TEST_SUITE_P(On, EngineSecrets, testing::ValuesIn(engine_variants), variant_name);

TEST_P(EngineSecrets, AreAllInSecretMemoryAndGivenBack) {
  engine_.reset();
  const std::size_t before = secret_bytes();
  engine_.emplace(make_engine(plan_of(GetParam())));
  const std::size_t with_engine = secret_bytes();
  const std::size_t of_library = GetParam().options.aes_instructions ? imb_get_mb_mgr_size() : 0;
  EXPECT_GE(with_engine, before + of_library);
  for (const ProtectionTraits& kind : protections) {
    {
      TestSa sa{engine(), kind.protection, default_shape(kind.protection), dice_};
      const std::size_t own = EncryptKey::size + MacKey::size;
      const std::size_t expanded = std::size_t{kind.encrypt_key} + kind.mac_key;
      EXPECT_GE(secret_bytes(), with_engine + own + 2 * expanded) << kind.name;
      use(engine(), sa, FrameEngine::max_batch, dice_);
    }
    EXPECT_EQ(secret_bytes(), with_engine) << kind.name;
  }
  engine_.reset();
  EXPECT_EQ(secret_bytes(), before);
}

TEST_P(EngineSecrets, OfAnSaGoWhenItIsReplaced) {
  const std::size_t before = secret_bytes();
  {
    TestSa sa{engine(), Protection::aes256_gcm, shape_of(1472, 16), dice_};
    const std::size_t with_one = secret_bytes();
    sa.sealer = SealKeys{engine().expand(sa.protection, sa.shape, sa.encrypt, sa.mac), sa.spi};
    sa.opener = engine().expand(sa.protection, sa.shape, sa.encrypt, sa.mac);
    EXPECT_EQ(secret_bytes(), with_one);
  }
  EXPECT_EQ(secret_bytes(), before);
}

// Of keys that nothing else has ever had: the dice would throw another test's bytes again.
TestSa sa_of_new_keys(const FrameEngine& engine, Protection protection) {
  EncryptKey encrypt;
  MacKey mac;
  crypto::fill_random(encrypt.fill());
  crypto::fill_random(mac.fill());
  return {engine, protection, default_shape(protection), std::move(encrypt), std::move(mac), {1}};
}

class EngineLeaves : public EveryEngine {
 protected:
  void SetUp() override {
    if (!can_search_memory) GTEST_SKIP() << "AddressSanitizer's memory is too large to search";
    EveryEngine::SetUp();
  }
};
INSTANTIATE_TEST_SUITE_P(On, EngineLeaves, testing::ValuesIn(engine_variants), variant_name);

void expect_nothing_of(const SaSecrets& secrets, const char* when) {
  const std::vector<std::size_t> found = count_in_memory(secrets.needles());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(found[i], 0u) << secrets.name(i) << " " << when;
}

TEST_P(EngineLeaves, NoCopyOfTheKeysOfAnSa) {
  std::vector<TestSa> sas;
  SaSecrets secrets;
  for (const ProtectionTraits& kind : protections) {
    if (kind.encrypt_key == 0) continue;
    sas.push_back(sa_of_new_keys(engine(), kind.protection));
    secrets.add(sas.back());
    for (const std::size_t count : {1u, 2u, 7u, 16u, 17u, 64u})
      use(engine(), sas.back(), count, dice_);
  }
  const MemorySearch search{secrets.needles()};
  const std::vector<std::size_t>& alive = search.found();
  for (std::size_t i = 0; i < alive.size(); ++i) {
    EXPECT_TRUE(alive[i] >= 1 || !secrets.is_key(i))
        << secrets.name(i) << " is there while its SA lives";
    EXPECT_EQ(search.found_in_the_open()[i], 0u) << secrets.name(i) << " outside secret memory";
  }
  // The search would see them: they are what this engine computes with.
  for (const char* const what : {"round key", "HMAC state", "GCM table"}) {
    bool is_seen = false;
    for (std::size_t i = 0; i < alive.size(); ++i)
      is_seen = is_seen || (alive[i] >= 1 && secrets.name(i).find(what) != std::string::npos);
    EXPECT_EQ(is_seen, GetParam().options.aes_instructions) << what;
  }
  sas.clear();
  expect_nothing_of(secrets, "while the engine lives");
  engine_.reset();
  expect_nothing_of(secrets, "after the engine");
}

// The tag that a refused frame should have had is its forgery.
TEST_P(EngineLeaves, NoTagOfARefusedFrame) {
  std::vector<TestSa> sas;
  std::vector<Frame> frames;
  for (const ProtectionTraits& kind : protections)
    for (int i = 0; i < 3 && kind.encrypt_key != 0; ++i) {
      sas.push_back(sa_of_new_keys(engine(), kind.protection));
      frames.push_back(clear_frame(sas.back().shape, dice_));
    }
  std::vector<Needle> tags;
  std::vector<OpenJob> jobs;
  {
    FrameEngine of_the_sender = make_engine(plan_of(GetParam()));
    std::vector<SealJob> to_seal;
    for (std::size_t i = 0; i < sas.size(); ++i)
      to_seal.push_back({.keys = &sas[i].sealer, .frame = frames[i].data()});
    of_the_sender.seal(to_seal);
  }
  for (std::size_t i = 0; i < sas.size(); ++i) {
    const MutableBytes tag = MutableBytes{frames[i]}.last(Needle::size);
    tags.emplace_back(tag);
    std::ranges::fill(tag, std::byte{0});
    jobs.push_back({.keys = &sas[i].opener, .frame = frames[i].data()});
  }
  engine().open(jobs);
  const std::vector<std::size_t> found = count_in_memory(tags);
  for (std::size_t i = 0; i < sas.size(); ++i) {
    EXPECT_TRUE(jobs[i].plaintext.empty());
    EXPECT_EQ(found[i], 0u) << to_string(sas[i].protection) << ", frame " << i;
  }
}

}  // namespace
}  // namespace penstock
