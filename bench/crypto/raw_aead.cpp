#include "raw_aead.hpp"

#include <cstring>

#include "keys.hpp"

namespace penstock::bench {
namespace {

std::uint8_t* octets(std::byte* bytes) { return reinterpret_cast<std::uint8_t*>(bytes); }

}  // namespace

RawAead::RawAead(const Manager& manager, Protection protection, FrameShape shape,
                 Direction direction)
    : manager_(manager.library), protection_(protection), shape_(shape), direction_(direction) {
  const KeyMaterial keys{0};
  std::memcpy(chacha_key_.data(), keys.encrypt.reveal().data(), chacha_key_.size());
  IMB_AES256_GCM_PRE(manager_.get(), chacha_key_.data(), &gcm_key_);
  prepare_job();
}

void RawAead::prepare_job() {
  const bool seals = direction_ == Direction::seal;
  IMB_JOB& job = template_;
  job.cipher_direction = seals ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
  job.chain_order = seals ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
  job.key_len_in_bytes = 32;
  job.cipher_start_src_offset_in_bytes = frame_layout::header;
  job.hash_start_src_offset_in_bytes = frame_layout::header;
  job.msg_len_to_cipher_in_bytes = shape_.plaintext();
  job.msg_len_to_hash_in_bytes = shape_.plaintext();
  job.iv_len_in_bytes = 12;
  job.auth_tag_output_len_in_bytes = shape_.tag;
  if (protection_ == Protection::aes256_gcm) {
    job.cipher_mode = IMB_CIPHER_GCM;
    job.hash_alg = IMB_AUTH_AES_GMAC;
    job.enc_keys = &gcm_key_;
    job.dec_keys = &gcm_key_;
    job.u.GCM.aad_len_in_bytes = frame_layout::header;
  } else {
    job.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
    job.hash_alg = IMB_AUTH_CHACHA20_POLY1305;
    job.enc_keys = chacha_key_.data();
    job.dec_keys = chacha_key_.data();
    job.u.CHACHA20_POLY1305.aad_len_in_bytes = frame_layout::header;
  }
}

void RawAead::set_job(IMB_JOB& job, std::size_t index, std::byte* frame) {
  std::uint8_t* const at = octets(frame);
  job = template_;
  std::memcpy(nonces_[index].data() + 4, frame + frame_layout::sequence, 8);
  job.src = at;
  job.dst = at + frame_layout::header;
  job.iv = nonces_[index].data();
  job.auth_tag_output = at + shape_.size - shape_.tag;
  if (protection_ == Protection::aes256_gcm)
    job.u.GCM.aad = at;
  else
    job.u.CHACHA20_POLY1305.aad = at;
}

void RawAead::direct(Frames frames) {
  // All nonces first: a load of what was stored a moment ago in smaller pieces has to wait.
  for (std::size_t i = 0; i < frames.size(); ++i)
    std::memcpy(nonces_[i].data() + 4, frames[i] + frame_layout::sequence, 8);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (protection_ == Protection::aes256_gcm)
      direct_gcm(frames[i], nonces_[i]);
    else
      direct_chacha(frames[i], nonces_[i]);
  }
}

void RawAead::direct_gcm(std::byte* frame, const Nonce& nonce) {
  std::uint8_t* const at = octets(frame);
  std::uint8_t* const text = at + frame_layout::header;
  std::uint8_t* const tag = at + shape_.size - shape_.tag;
  if (direction_ == Direction::seal)
    IMB_AES256_GCM_ENC(manager_.get(), &gcm_key_, &gcm_context_, text, text, shape_.plaintext(),
                       nonce.data(), at, frame_layout::header, tag, shape_.tag);
  else
    IMB_AES256_GCM_DEC(manager_.get(), &gcm_key_, &gcm_context_, text, text, shape_.plaintext(),
                       nonce.data(), at, frame_layout::header, tag, shape_.tag);
}

void RawAead::direct_chacha(std::byte* frame, const Nonce& nonce) {
  std::uint8_t* const at = octets(frame);
  std::uint8_t* const text = at + frame_layout::header;
  const auto* const key = chacha_key_.data();
  IMB_CHACHA20_POLY1305_INIT(manager_.get(), key, &chacha_context_, nonce.data(), at,
                             frame_layout::header);
  if (direction_ == Direction::seal)
    IMB_CHACHA20_POLY1305_ENC_UPDATE(manager_.get(), key, &chacha_context_, text, text,
                                     shape_.plaintext());
  else
    IMB_CHACHA20_POLY1305_DEC_UPDATE(manager_.get(), key, &chacha_context_, text, text,
                                     shape_.plaintext());
  IMB_CHACHA20_POLY1305_ENC_FINALIZE(manager_.get(), &chacha_context_,
                                     at + shape_.size - shape_.tag, shape_.tag);
}

void RawAead::jobs(Frames frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    set_job(*IMB_GET_NEXT_JOB(manager_.get()), i, frames[i]);
    IMB_SUBMIT_JOB_NOCHECK(manager_.get());
  }
  while (IMB_FLUSH_JOB(manager_.get()) != nullptr) {
  }
}

void RawAead::burst(Frames frames) {
  std::array<IMB_JOB*, FrameEngine::max_batch> jobs{};
  const auto count = static_cast<std::uint32_t>(frames.size());
  IMB_GET_NEXT_BURST(manager_.get(), count, jobs.data());
  for (std::size_t i = 0; i < frames.size(); ++i) set_job(*jobs[i], i, frames[i]);
  std::uint32_t done = IMB_SUBMIT_BURST_NOCHECK(manager_.get(), count, jobs.data());
  while (done < count) done += IMB_FLUSH_BURST(manager_.get(), count - done, jobs.data());
}

}  // namespace penstock::bench
