#include "aead.hpp"

#include <algorithm>
#include <cstring>

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

void put_sequence(AeadNonce& nonce, const std::byte* frame) {
  std::memcpy(nonce.data() + 4, frame + frame_layout::sequence, 8);
}

// True when the tag holds; else nothing of the plaintext stays.
bool accept(const Work& work, std::span<std::byte, aead_tag_size> computed) {
  const bool holds = equal_constant_time(computed, {work.tag(), aead_tag_size});
  if (!holds) [[unlikely]] {
    wipe({work.text(), work.text_size()});
    wipe(computed);
  }
  return holds;
}

}  // namespace

void Gcm::expand(const EncryptKey& encrypt, Keys& out) const {
  IMB_AES256_GCM_PRE(manager_, encrypt.reveal().data(), &out);
}

// All nonces first: one that was just written would stall the load that follows.
void Gcm::start(Batch batch) noexcept {
  if (!batch.empty()) prefetch(batch.front().keys, sizeof(Keys));
  for (std::size_t i = 0; i < batch.size(); ++i) put_sequence(scratch_->nonces[i], batch[i].frame);
}

// A kilobyte of tables a key: those of the next frame are fetched while this one is worked on.
void Gcm::fetch_next(Batch batch, std::size_t index) noexcept {
  if (index + 1 < batch.size() && batch[index + 1].keys != batch[index].keys)
    prefetch(batch[index + 1].keys, sizeof(Keys));
}

// The context holds a block of the last frame's key stream.
void Gcm::finish() noexcept { wipe(std::as_writable_bytes(std::span{&scratch_->context, 1})); }

void Gcm::seal(Batch batch) noexcept {
  start(batch);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    fetch_next(batch, i);
    const Work& work = batch[i];
    std::uint8_t* const text = library_bytes(work.text());
    IMB_AES256_GCM_ENC(manager_, reinterpret_cast<const Keys*>(work.keys), &scratch_->context, text,
                       text, work.text_size(), library_bytes(scratch_->nonces[i].data()),
                       library_bytes(work.frame), frame_layout::header, library_bytes(work.tag()),
                       aead_tag_size);
  }
  finish();
}

OpenedMask Gcm::open(Batch batch) noexcept {
  OpenedMask opened = 0;
  start(batch);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    fetch_next(batch, i);
    const Work& work = batch[i];
    std::uint8_t* const text = library_bytes(work.text());
    scratch_->tag = {};  // never the last frame's, whatever the call does
    IMB_AES256_GCM_DEC(manager_, reinterpret_cast<const Keys*>(work.keys), &scratch_->context, text,
                       text, work.text_size(), library_bytes(scratch_->nonces[i].data()),
                       library_bytes(work.frame), frame_layout::header,
                       library_bytes(scratch_->tag.data()), aead_tag_size);
    opened |= OpenedMask{accept(work, scratch_->tag)} << i;
  }
  finish();
  return opened;
}

void ChaCha20Poly1305::expand(const EncryptKey& encrypt, Keys& out) const {
  std::ranges::copy(encrypt.reveal(), out.key.begin());
}

void ChaCha20Poly1305::run(Batch batch, IMB_CIPHER_DIRECTION direction) noexcept {
  std::array<IMB_JOB*, max_batch> jobs;
  const auto count = static_cast<std::uint32_t>(batch.size());
  check(IMB_GET_NEXT_BURST(manager_, count, jobs.data()) == count, "ipsec-mb's queue is empty");
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Work& work = batch[i];
    put_sequence(scratch_->nonces[i], work.frame);
    prefetch(work.keys, sizeof(Keys));
    IMB_JOB& job = *jobs[i];
    job.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
    job.hash_alg = IMB_AUTH_CHACHA20_POLY1305;
    job.cipher_direction = direction;
    job.chain_order = direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    job.enc_keys = work.keys;
    job.dec_keys = work.keys;
    job.key_len_in_bytes = 32;
    job.src = library_bytes(work.frame);
    job.dst = library_bytes(work.text());
    job.cipher_start_src_offset_in_bytes = frame_layout::header;
    job.hash_start_src_offset_in_bytes = frame_layout::header;
    job.msg_len_to_cipher_in_bytes = work.text_size();
    job.msg_len_to_hash_in_bytes = work.text_size();
    job.iv = library_bytes(scratch_->nonces[i].data());
    job.iv_len_in_bytes = aead_nonce_size;
    job.auth_tag_output = library_bytes(scratch_->tags[i].data());
    job.auth_tag_output_len_in_bytes = aead_tag_size;
    job.u.CHACHA20_POLY1305.aad = work.frame;
    job.u.CHACHA20_POLY1305.aad_len_in_bytes = frame_layout::header;
#if IMB_VERSION_NUM > IMB_VERSION(1, 3, 0)
    imb_set_session(manager_, &job);  // what these versions look up a job's code by
#endif
  }
  check(IMB_SUBMIT_BURST_NOCHECK(manager_, count, jobs.data()) == count,
        "ipsec-mb left frames undone");
}

void ChaCha20Poly1305::seal(Batch batch) noexcept {
  run(batch, IMB_DIR_ENCRYPT);
  for (std::size_t i = 0; i < batch.size(); ++i)
    std::memcpy(batch[i].tag(), scratch_->tags[i].data(), aead_tag_size);
}

OpenedMask ChaCha20Poly1305::open(Batch batch) noexcept {
  run(batch, IMB_DIR_DECRYPT);
  OpenedMask opened = 0;
  for (std::size_t i = 0; i < batch.size(); ++i)
    opened |= OpenedMask{accept(batch[i], scratch_->tags[i])} << i;
  return opened;
}

}  // namespace penstock
