#include "ctr_hmac.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

const CtrHmacKeys& keys_of(const Work& work) {
  return *reinterpret_cast<const CtrHmacKeys*>(work.keys);
}

}  // namespace

CtrHmac::CtrHmac(Protection protection, CtrHmacChoice choice, std::span<IMB_MGR* const> managers)
    : algorithms_(algorithms_of(protection)), choice_(choice) {
  std::ranges::copy(managers, managers_.begin());
  prepare();
}

CtrHmac::Algorithms CtrHmac::algorithms_of(Protection protection) {
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

// What is the same for every frame.
void CtrHmac::prepare() {
  for (std::size_t i = 0; i < max_batch; ++i) {
    IMB_JOB& job = scratch_->jobs[i];
    job.cipher_mode = IMB_CIPHER_CNTR;
    job.cipher_direction = IMB_DIR_ENCRYPT;
    job.cipher_start_src_offset_in_bytes = frame_layout::header;
    job.key_len_in_bytes = algorithms_.key;
    job.iv = library_bytes(scratch_->counters[i].data());
    job.iv_len_in_bytes = counter_block;
    job.hash_alg = algorithms_.hash;
    job.auth_tag_output = library_bytes(scratch_->tags[i].data());
    // The library writes all or half of it, whatever lies between.
    job.auth_tag_output_len_in_bytes = algorithms_.full_tag;
  }
}

void CtrHmac::expand(const EncryptKey& encrypt, const MacKey& mac, CtrHmacKeys& out) const {
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

void CtrHmac::one_block(Bytes block, std::byte* state) const {
  if (algorithms_.hash == IMB_AUTH_HMAC_SHA_256)
    IMB_SHA256_ONE_BLOCK(managers_[0], block.data(), state);
  else
    IMB_SHA384_ONE_BLOCK(managers_[0], block.data(), state);
}

void CtrHmac::add_jobs(Batch batch) noexcept {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Work& work = batch[i];
    // be64 sequence || be64 block counter from 0
    std::memcpy(scratch_->counters[i].data(), work.frame + frame_layout::sequence, 8);
    const std::uint8_t* const states = library_bytes(keys_of(work).states.data());
    IMB_JOB& job = scratch_->jobs[i];
    job.enc_keys = keys_of(work).round_keys.data();
    job.src = library_bytes(work.frame);
    job.dst = library_bytes(work.text());
    job.msg_len_to_cipher_in_bytes = work.text_size();
    job.msg_len_to_hash_in_bytes = work.under_mac();
    job.u.HMAC._hashed_auth_key_xor_ipad = states;
    job.u.HMAC._hashed_auth_key_xor_opad = states + algorithms_.state;
  }
}

// The unchecked calls: every job is well-formed by construction.
void CtrHmac::cipher(std::size_t count, std::size_t manager) noexcept {
  const auto jobs = static_cast<std::uint32_t>(count);
  const auto done =
      IMB_SUBMIT_CIPHER_BURST_NOCHECK(managers_[manager], scratch_->jobs.data(), jobs,
                                      IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, algorithms_.key);
  check(done == jobs, "ipsec-mb left frames unencrypted");
}

void CtrHmac::hash(std::size_t first, std::size_t count, std::size_t manager) noexcept {
  const auto jobs = static_cast<std::uint32_t>(count);
  const auto done = IMB_SUBMIT_HASH_BURST_NOCHECK(managers_[manager], &scratch_->jobs[first], jobs,
                                                  algorithms_.hash);
  check(done == jobs, "ipsec-mb left frames unhashed");
}

void CtrHmac::hash_all(std::size_t count) noexcept {
  std::size_t first = 0;
  const HashPlan::Cut& cut = choice_.hash.cut(count);
  for (std::size_t manager = 0; manager < cut.size(); ++manager) {
    if (cut[manager] != 0) hash(first, cut[manager], manager);
    first += cut[manager];
  }
}

// All at once, before the first is needed.
void CtrHmac::fetch_keys(Batch batch) const noexcept {
  const std::byte* last = nullptr;
  for (const Work& work : batch) {
    if (work.keys == last) continue;
    prefetch(work.keys, offsetof(CtrHmacKeys, states) + 2 * algorithms_.state);
    last = work.keys;
  }
}

void CtrHmac::seal(Batch batch) noexcept {
  fetch_keys(batch);
  add_jobs(batch);
  cipher(batch.size(), choice_.cipher);
  hash_all(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::byte* const tag = scratch_->tags[i].data();
    if (batch[i].tag_size == limits::default_tag) [[likely]]
      std::memcpy(batch[i].tag(), tag, limits::default_tag);  // a load and a store
    else
      std::memcpy(batch[i].tag(), tag, batch[i].tag_size);
  }
}

OpenedMask CtrHmac::open(Batch batch) noexcept {
  fetch_keys(batch);
  add_jobs(batch);
  hash_all(batch.size());
  const OpenedMask opened = verify(batch);
  if (opened == all_of(batch)) [[likely]]
    cipher(batch.size(), choice_.cipher);
  else
    decrypt_some(batch, opened);
  return opened;
}

void CtrHmac::decrypt_some(Batch batch, OpenedMask opened) noexcept {
  std::array<Work, max_batch> good;
  std::size_t count = 0;
  for (std::size_t i = 0; i < batch.size(); ++i)
    if ((opened >> i & 1) != 0) good[count++] = batch[i];
  if (count == 0) return;
  add_jobs(Batch{good}.first(count));
  cipher(count, choice_.cipher);
}

OpenedMask CtrHmac::verify(Batch batch) noexcept {
  OpenedMask good = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::size_t size = batch[i].tag_size;
    const bool holds =
        equal_constant_time({scratch_->tags[i].data(), size}, {batch[i].tag(), size});
    good |= OpenedMask{holds} << i;
    if (!holds) wipe(scratch_->tags[i]);
  }
  return good;
}

}  // namespace penstock
