#include "raw_hmac.hpp"

#include <cstring>

#include "keys.hpp"

namespace penstock::bench {
namespace {

std::uint8_t* octets(std::byte* bytes) { return reinterpret_cast<std::uint8_t*>(bytes); }

}  // namespace

RawHmac::RawHmac(const Manager& manager, Protection protection, FrameShape shape,
                 Direction direction)
    : manager_(manager.library),
      protection_(protection),
      shape_(shape),
      direction_(direction),
      hash_(traits(protection).mac_key == 48 ? IMB_AUTH_HMAC_SHA_384 : IMB_AUTH_HMAC_SHA_256),
      key_size_(traits(protection).encrypt_key == 16 ? IMB_KEY_128_BYTES : IMB_KEY_256_BYTES) {
  expand_keys();
  prepare_jobs();
}

void RawHmac::expand_keys() {
  const KeyMaterial keys{0};
  const auto* const encrypt = keys.encrypt.reveal().data();
  if (key_size_ == IMB_KEY_128_BYTES)
    IMB_AES_KEYEXP_128(manager_.get(), encrypt, encrypt_.bytes.data(), decrypt_.bytes.data());
  else
    IMB_AES_KEYEXP_256(manager_.get(), encrypt, encrypt_.bytes.data(), decrypt_.bytes.data());

  const bool is_384 = hash_ == IMB_AUTH_HMAC_SHA_384;
  const auto state_after = [&](std::uint8_t pad, HashState& state) {
    std::array<std::uint8_t, 128> block{};
    std::memcpy(block.data(), keys.mac.reveal().data(), traits(protection_).mac_key);
    for (auto& byte : block) byte ^= pad;
    if (is_384)
      IMB_SHA384_ONE_BLOCK(manager_.get(), block.data(), state.bytes.data());
    else
      IMB_SHA256_ONE_BLOCK(manager_.get(), block.data(), state.bytes.data());
  };
  state_after(0x36, inner_);
  state_after(0x5c, outer_);
}

void RawHmac::prepare_jobs() {
  IMB_JOB& cipher = cipher_template_;
  cipher.cipher_mode = IMB_CIPHER_CNTR;
  cipher.cipher_direction = IMB_DIR_ENCRYPT;
  cipher.hash_alg = IMB_AUTH_NULL;
  cipher.enc_keys = encrypt_.bytes.data();
  cipher.dec_keys = encrypt_.bytes.data();
  cipher.key_len_in_bytes = key_size_;
  cipher.cipher_start_src_offset_in_bytes = frame_layout::header;
  cipher.msg_len_to_cipher_in_bytes = shape_.plaintext();
  cipher.iv_len_in_bytes = 16;

  IMB_JOB& hash = hash_template_;
  hash.cipher_mode = IMB_CIPHER_NULL;
  hash.cipher_direction = IMB_DIR_ENCRYPT;
  hash.chain_order = IMB_ORDER_HASH_CIPHER;
  hash.hash_alg = hash_;
  hash.hash_start_src_offset_in_bytes = 0;
  hash.msg_len_to_hash_in_bytes = frame_layout::header + shape_.plaintext();
  // SHA-384 writes 24 bytes all the same; there is room behind the frames of a pool.
  hash.auth_tag_output_len_in_bytes = shape_.tag;
  hash.u.HMAC._hashed_auth_key_xor_ipad = inner_.bytes.data();
  hash.u.HMAC._hashed_auth_key_xor_opad = outer_.bytes.data();

  cipher_jobs_.fill(cipher);
  hash_jobs_.fill(hash);
}

void RawHmac::set_cipher(IMB_JOB& job, std::size_t index, std::byte* frame) {
  std::memcpy(counters_[index].data(), frame + frame_layout::sequence, 8);
  job.src = octets(frame);
  job.dst = octets(frame) + frame_layout::header;
  job.iv = counters_[index].data();
}

void RawHmac::set_hash(IMB_JOB& job, std::byte* frame) const {
  job.src = octets(frame);
  job.auth_tag_output = octets(frame) + shape_.size - shape_.tag;
}

void RawHmac::cipher(Frames frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) set_cipher(cipher_jobs_[i], i, frames[i]);
  IMB_SUBMIT_CIPHER_BURST_NOCHECK(manager_.get(), cipher_jobs_.data(),
                                  static_cast<std::uint32_t>(frames.size()), IMB_CIPHER_CNTR,
                                  IMB_DIR_ENCRYPT, key_size_);
}

void RawHmac::hash(Frames frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) set_hash(hash_jobs_[i], frames[i]);
  IMB_SUBMIT_HASH_BURST_NOCHECK(manager_.get(), hash_jobs_.data(),
                                static_cast<std::uint32_t>(frames.size()), hash_);
}

void RawHmac::both(Frames frames) {
  if (direction_ == Direction::open) hash(frames);
  cipher(frames);
  if (direction_ == Direction::seal) hash(frames);
}

void RawHmac::chained(Frames frames) {
  const bool seals = direction_ == Direction::seal;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    IMB_JOB& job = *IMB_GET_NEXT_JOB(manager_.get());
    job = hash_template_;
    job.cipher_mode = IMB_CIPHER_CNTR;
    job.cipher_direction = seals ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    job.chain_order = seals ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    job.enc_keys = encrypt_.bytes.data();
    job.dec_keys = encrypt_.bytes.data();
    job.key_len_in_bytes = key_size_;
    job.cipher_start_src_offset_in_bytes = frame_layout::header;
    job.msg_len_to_cipher_in_bytes = shape_.plaintext();
    job.iv_len_in_bytes = 16;
    set_cipher(job, i, frames[i]);
    set_hash(job, frames[i]);
    IMB_SUBMIT_JOB_NOCHECK(manager_.get());
  }
  flush();
}

void RawHmac::submit_hash(std::byte* frame) {
  IMB_JOB& job = *IMB_GET_NEXT_JOB(manager_.get());
  job = hash_template_;
  set_hash(job, frame);
  IMB_SUBMIT_JOB_NOCHECK(manager_.get());
}

void RawHmac::flush() {
  while (IMB_FLUSH_JOB(manager_.get()) != nullptr) {
  }
}

}  // namespace penstock::bench
