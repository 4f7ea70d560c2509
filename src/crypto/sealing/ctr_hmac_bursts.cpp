#include "ctr_hmac_bursts.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"

namespace penstock {

CtrHmacBursts::CtrHmacBursts(Protection protection, CtrHmacChoice choice,
                             std::span<IMB_MGR* const> managers, std::size_t clear)
    : algorithms_(algorithms_of(protection)), choice_(choice), clear_(clear) {
  std::ranges::copy(managers, managers_.begin());
  prepare();
}

CtrHmacBursts::Algorithms CtrHmacBursts::algorithms_of(Protection protection) {
  switch (protection) {
    case Protection::aes256_ctr_sha256:
      return {IMB_KEY_256_BYTES, IMB_AUTH_HMAC_SHA_256, 32, 64, 32};
    case Protection::aes128_ctr_sha256:
      return {IMB_KEY_128_BYTES, IMB_AUTH_HMAC_SHA_256, 32, 64, 32};
    case Protection::aes256_ctr_sha384:
      return {IMB_KEY_256_BYTES, IMB_AUTH_HMAC_SHA_384, 48, 128, 64};
    default:
      check(false, "a protection of AES-CTR and HMAC");
      return {};
  }
}

// What is the same for every message.
void CtrHmacBursts::prepare() {
  for (std::size_t i = 0; i < max_batch; ++i) {
    IMB_JOB& job = scratch_->jobs[i];
    job.cipher_mode = IMB_CIPHER_CNTR;
    job.cipher_direction = IMB_DIR_ENCRYPT;
    job.cipher_start_src_offset_in_bytes = clear_;
    job.key_len_in_bytes = algorithms_.key;
    job.iv = library_bytes(scratch_->counters[i].data());
    job.iv_len_in_bytes = counter_block;
    job.hash_alg = algorithms_.hash;
    job.auth_tag_output = library_bytes(scratch_->tags[i].data());
    // The library writes all or half of it, whatever lies between.
    job.auth_tag_output_len_in_bytes = algorithms_.full_tag;
  }
}

void CtrHmacBursts::expand(const EncryptKey& encrypt, const MacKey& mac, CtrHmacKeys& out) const {
  IMB_MGR* const manager = managers_[choice_.cipher];
  SecretBuffer unused{out.round_keys.size()};  // the decryption schedule is written with the other
  if (algorithms_.key == IMB_KEY_256_BYTES)
    IMB_AES_KEYEXP_256(manager, encrypt.reveal().data(), out.round_keys.data(),
                       unused.fill().data());
  else
    IMB_AES_KEYEXP_128(manager, encrypt.reveal().data(), out.round_keys.data(),
                       unused.fill().data());
  // The states with which HMAC's two hashes begin (RFC 2104). Both MAC keys are as long as the
  // hash, so neither is hashed down.
  const Bytes key = mac.reveal().first(algorithms_.full_tag);
  SecretBuffer block{algorithms_.hash_block};
  std::byte* state = out.states.data();
  for (const std::byte pad : {std::byte{0x36}, std::byte{0x5c}}) {
    std::ranges::fill(block.fill(), pad);
    for (std::size_t i = 0; i < key.size(); ++i) block.fill()[i] ^= key[i];
    one_block(block.reveal(), state);
    state += algorithms_.state;
  }
}

void CtrHmacBursts::one_block(Bytes block, std::byte* state) const {
  if (algorithms_.hash == IMB_AUTH_HMAC_SHA_256)
    IMB_SHA256_ONE_BLOCK(managers_[0], block.data(), state);
  else
    IMB_SHA384_ONE_BLOCK(managers_[0], block.data(), state);
}

// The unchecked calls: every job is well-formed by construction.
void CtrHmacBursts::cipher(std::size_t count, std::size_t manager) noexcept {
  const auto jobs = static_cast<std::uint32_t>(count);
  const auto done =
      IMB_SUBMIT_CIPHER_BURST_NOCHECK(managers_[manager], scratch_->jobs.data(), jobs,
                                      IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, algorithms_.key);
  check(done == jobs, "ipsec-mb left messages unencrypted");
}

void CtrHmacBursts::hash(std::size_t first, std::size_t count, std::size_t manager) noexcept {
  const auto jobs = static_cast<std::uint32_t>(count);
  const auto done = IMB_SUBMIT_HASH_BURST_NOCHECK(managers_[manager], &scratch_->jobs[first], jobs,
                                                  algorithms_.hash);
  check(done == jobs, "ipsec-mb left messages unhashed");
}

void CtrHmacBursts::hash(std::size_t count) noexcept {
  std::size_t first = 0;
  const HashPlan::Cut& cut = choice_.hash.cut(count);
  for (std::size_t manager = 0; manager < cut.size(); ++manager) {
    if (cut[manager] != 0) hash(first, cut[manager], manager);
    first += cut[manager];
  }
}

}  // namespace penstock
