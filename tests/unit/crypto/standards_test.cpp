// The standards' own known answers (tests/vectors/crypto), asked of OpenSSL, which the other
// tests take for the truth, and of ipsec-mb's code for each instruction set, which the engine
// is made of. The engine fixes the form of nonces and counters; frames_test.cpp has whole frames.
#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <intel-ipsec-mb.h>
#include <openssl/evp.h>

#include "every_engine.hpp"
#include "penstock/base/suite.hpp"
#include "sealed_by_openssl.hpp"
#include "vectors.hpp"

namespace penstock::crypto {
namespace {

std::uint8_t* raw(ByteVector& bytes) { return reinterpret_cast<std::uint8_t*>(bytes.data()); }

TEST(OpenSslGivesTheAnswersOf, Sp80038aCtr) {
  for (Record& record : read_vectors("crypto/ctr.txt")) {
    ByteVector text = record["plain"];
    oracle::ctr(record["key"], record["counter"], text);
    EXPECT_EQ(to_hex(text), to_hex(record["sealed"]));
  }
}

TEST(OpenSslGivesTheAnswersOf, Rfc4231Hmac) {
  for (Record& record : read_vectors("crypto/hmac.txt"))
    for (const auto& [name, size] : {std::pair{"sha256", 32u}, {"sha384", 48u}}) {
      ByteVector mac(size);
      oracle::hmac(record["key"], record["data"], mac);
      mac.resize(record[name].size());
      EXPECT_EQ(to_hex(mac), to_hex(record[name]));
    }
}

void expect_openssl_aead(Protection protection, const char* file) {
  for (Record& record : read_vectors(file)) {
    ByteVector text = record["plain"];
    ByteVector tag(16);
    oracle::aead(protection, record["key"], record["nonce"], record["associated"], text, tag);
    EXPECT_EQ(to_hex(text), to_hex(record["sealed"]));
    EXPECT_EQ(to_hex(tag), to_hex(record["tag"]));
  }
}

TEST(OpenSslGivesTheAnswersOf, CavpGcm) {
  expect_openssl_aead(Protection::aes256_gcm, "crypto/gcm.txt");
}
TEST(OpenSslGivesTheAnswersOf, Rfc8439) {
  expect_openssl_aead(Protection::chacha20_poly1305, "crypto/chacha20_poly1305.txt");
}

// --- ipsec-mb ------------------------------------------------------------------------

class IpsecMb : public testing::TestWithParam<EngineVariant> {
 protected:
  void SetUp() override {
    if (!GetParam().runs_here()) GTEST_SKIP() << "this CPU lacks the instructions";
    const EngineOptions& options = GetParam().options;
    manager_.reset(alloc_mb_mgr(options.sha_instructions ? 0 : IMB_FLAG_SHANI_OFF));
    ASSERT_NE(manager_, nullptr);
    constexpr std::array init{&init_mb_mgr_sse, &init_mb_mgr_avx2, &init_mb_mgr_avx512};
    init[static_cast<std::size_t>(options.vectors)](manager_.get());
    ASSERT_EQ(imb_get_errno(manager_.get()), 0);
  }

  // Alone in the queue.
  void run(const IMB_JOB& job) {
    IMB_JOB* const next = IMB_GET_NEXT_JOB(manager_.get());
    *next = job;
    const IMB_JOB* done = IMB_SUBMIT_JOB(manager_.get());
    if (done == nullptr) done = IMB_FLUSH_JOB(manager_.get());
    ASSERT_NE(done, nullptr);
    ASSERT_EQ(done->status, IMB_STATUS_COMPLETED)
        << imb_get_strerror(imb_get_errno(manager_.get()));
  }

  // The hash's state after the block key xor pad.
  ByteVector hmac_state(ByteVector key, std::size_t block_size, std::byte pad) {
    if (key.size() > block_size) {
      ByteVector hashed(64);
      unsigned size = 0;
      EXPECT_EQ(EVP_Digest(key.data(), key.size(), raw(hashed), &size,
                           block_size == 64 ? EVP_sha256() : EVP_sha384(), nullptr),
                1);
      hashed.resize(size);
      key = hashed;
    }
    key.resize(block_size);
    for (std::byte& b : key) b ^= pad;
    ByteVector state(64);
    if (block_size == 64)
      IMB_SHA256_ONE_BLOCK(manager_.get(), key.data(), state.data());
    else
      IMB_SHA384_ONE_BLOCK(manager_.get(), key.data(), state.data());
    return state;
  }

  std::string hmac(IMB_HASH_ALG algorithm, Record& record, std::size_t full_tag) {
    const std::size_t block = algorithm == IMB_AUTH_HMAC_SHA_256 ? 64 : 128;
    ByteVector inner = hmac_state(record["key"], block, std::byte{0x36});
    ByteVector outer = hmac_state(record["key"], block, std::byte{0x5c});
    ByteVector tag(full_tag);
    IMB_JOB job{};
    job.cipher_mode = IMB_CIPHER_NULL;
    job.cipher_direction = IMB_DIR_ENCRYPT;
    job.chain_order = IMB_ORDER_HASH_CIPHER;
    job.hash_alg = algorithm;
    job.src = raw(record["data"]);
    job.msg_len_to_hash_in_bytes = record["data"].size();
    job.auth_tag_output = raw(tag);
    job.auth_tag_output_len_in_bytes = full_tag;
    job.u.HMAC._hashed_auth_key_xor_ipad = raw(inner);
    job.u.HMAC._hashed_auth_key_xor_opad = raw(outer);
    run(job);
    return to_hex(tag);
  }

  struct Free {
    void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
  };
  std::unique_ptr<IMB_MGR, Free> manager_;
};

INSTANTIATE_TEST_SUITE_P(GivesTheAnswersOf, IpsecMb,
                         testing::ValuesIn(engine_variants.begin(),
                                           engine_variants.end() - 1),  // without OpenSSL
                         variant_name);

TEST_P(IpsecMb, Sp80038aCtr) {
  for (Record& record : read_vectors("crypto/ctr.txt")) {
    ByteVector text = record["plain"];
    alignas(16) std::array<std::byte, 240> schedule{};
    alignas(16) std::array<std::byte, 240> unused{};
    if (record["key"].size() == 16)
      IMB_AES_KEYEXP_128(manager_.get(), record["key"].data(), schedule.data(), unused.data());
    else
      IMB_AES_KEYEXP_256(manager_.get(), record["key"].data(), schedule.data(), unused.data());
    IMB_JOB job{};
    job.cipher_mode = IMB_CIPHER_CNTR;
    job.cipher_direction = IMB_DIR_ENCRYPT;
    job.chain_order = IMB_ORDER_CIPHER_HASH;
    job.hash_alg = IMB_AUTH_NULL;
    job.enc_keys = schedule.data();
    job.dec_keys = schedule.data();
    job.key_len_in_bytes = record["key"].size();
    job.src = raw(text);
    job.dst = raw(text);
    job.msg_len_to_cipher_in_bytes = text.size();
    job.iv = raw(record["counter"]);
    job.iv_len_in_bytes = 16;
    run(job);
    EXPECT_EQ(to_hex(text), to_hex(record["sealed"]));
  }
}

TEST_P(IpsecMb, Rfc4231Hmac) {
  for (Record& record : read_vectors("crypto/hmac.txt")) {
    EXPECT_TRUE(hmac(IMB_AUTH_HMAC_SHA_256, record, 32).starts_with(to_hex(record["sha256"])));
    EXPECT_TRUE(hmac(IMB_AUTH_HMAC_SHA_384, record, 48).starts_with(to_hex(record["sha384"])));
  }
}

TEST_P(IpsecMb, CavpGcm) {
  for (Record& record : read_vectors("crypto/gcm.txt")) {
    gcm_key_data keys{};
    gcm_context_data context{};
    IMB_AES256_GCM_PRE(manager_.get(), record["key"].data(), &keys);
    ByteVector text = record["plain"];
    ByteVector tag(16);
    IMB_AES256_GCM_ENC(manager_.get(), &keys, &context, raw(text), raw(text), text.size(),
                       raw(record["nonce"]), raw(record["associated"]), record["associated"].size(),
                       raw(tag), tag.size());
    EXPECT_EQ(to_hex(text), to_hex(record["sealed"]));
    EXPECT_EQ(to_hex(tag), to_hex(record["tag"]));
    IMB_AES256_GCM_DEC(manager_.get(), &keys, &context, raw(text), raw(text), text.size(),
                       raw(record["nonce"]), raw(record["associated"]), record["associated"].size(),
                       raw(tag), tag.size());
    EXPECT_EQ(to_hex(text), to_hex(record["plain"]));
    EXPECT_EQ(to_hex(tag), to_hex(record["tag"]));
  }
}

TEST_P(IpsecMb, Rfc8439) {
  for (Record& record : read_vectors("crypto/chacha20_poly1305.txt"))
    for (const IMB_CIPHER_DIRECTION direction : {IMB_DIR_ENCRYPT, IMB_DIR_DECRYPT}) {
      const bool seals = direction == IMB_DIR_ENCRYPT;
      ByteVector text = record[seals ? "plain" : "sealed"];
      ByteVector tag(16);
      IMB_JOB job{};
      job.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
      job.hash_alg = IMB_AUTH_CHACHA20_POLY1305;
      job.cipher_direction = direction;
      job.chain_order = seals ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
      job.enc_keys = record["key"].data();
      job.dec_keys = record["key"].data();
      job.key_len_in_bytes = record["key"].size();
      job.src = raw(text);
      job.dst = raw(text);
      job.msg_len_to_cipher_in_bytes = text.size();
      job.msg_len_to_hash_in_bytes = text.size();
      job.iv = raw(record["nonce"]);
      job.iv_len_in_bytes = record["nonce"].size();
      job.auth_tag_output = raw(tag);
      job.auth_tag_output_len_in_bytes = tag.size();
      job.u.CHACHA20_POLY1305.aad = record["associated"].data();
      job.u.CHACHA20_POLY1305.aad_len_in_bytes = record["associated"].size();
      run(job);
      EXPECT_EQ(to_hex(text), to_hex(record[seals ? "sealed" : "plain"]));
      EXPECT_EQ(to_hex(tag), to_hex(record["tag"]));
    }
}

}  // namespace
}  // namespace penstock::crypto
