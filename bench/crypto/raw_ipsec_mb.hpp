// ipsec-mb with nothing around it: the best code of this CPU, unchecked calls, tags written
// straight into the frames. What FrameEngine is measured against.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include <intel-ipsec-mb.h>

#include "penstock/crypto/frame_engine.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock::bench {

class RawIpsecMb {
 public:
  using Frames = std::span<std::byte* const>;

  explicit RawIpsecMb(FrameShape shape) : shape_(shape) {
    init_mb_mgr_auto(manager_.get(), nullptr);
    const std::array<std::uint8_t, 32> key{1};
    IMB_AES_KEYEXP_256(manager_.get(), key.data(), round_keys_.data(), unused_.data());
    std::array<std::uint8_t, 64> block{1};
    IMB_SHA256_ONE_BLOCK(manager_.get(), block.data(), inner_.data());
    IMB_SHA256_ONE_BLOCK(manager_.get(), block.data(), outer_.data());
  }

  void cipher(Frames frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) fill_cipher(jobs_[i], i, frames[i]);
    IMB_SUBMIT_CIPHER_BURST_NOCHECK(manager_.get(), jobs_.data(),
                                    static_cast<std::uint32_t>(frames.size()), IMB_CIPHER_CNTR,
                                    IMB_DIR_ENCRYPT, IMB_KEY_256_BYTES);
  }
  void hash(Frames frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) fill_hash(jobs_[i], frames[i]);
    IMB_SUBMIT_HASH_BURST_NOCHECK(manager_.get(), jobs_.data(),
                                  static_cast<std::uint32_t>(frames.size()), IMB_AUTH_HMAC_SHA_256);
  }
  void both(Frames frames) {
    cipher(frames);
    hash(frames);
  }
  // One job a frame that does both, through the library's job queue.
  void chained(Frames frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      IMB_JOB* const job = IMB_GET_NEXT_JOB(manager_.get());
      fill_cipher(*job, i, frames[i]);
      fill_hash(*job, frames[i]);
      job->chain_order = IMB_ORDER_CIPHER_HASH;
      IMB_SUBMIT_JOB_NOCHECK(manager_.get());
    }
    while (IMB_FLUSH_JOB(manager_.get()) != nullptr) {
    }
  }

 private:
  struct Free {
    void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
  };

  void fill_cipher(IMB_JOB& job, std::size_t index, std::byte* frame) {
    auto* const bytes = reinterpret_cast<std::uint8_t*>(frame);
    std::memcpy(counters_[index].data(), frame + frame_layout::sequence, 8);
    job.cipher_mode = IMB_CIPHER_CNTR;
    job.cipher_direction = IMB_DIR_ENCRYPT;
    job.enc_keys = round_keys_.data();
    job.key_len_in_bytes = IMB_KEY_256_BYTES;
    job.src = bytes;
    job.dst = bytes + frame_layout::header;
    job.cipher_start_src_offset_in_bytes = frame_layout::header;
    job.msg_len_to_cipher_in_bytes = shape_.plaintext();
    job.iv = counters_[index].data();
    job.iv_len_in_bytes = 16;
  }
  void fill_hash(IMB_JOB& job, std::byte* frame) {
    auto* const bytes = reinterpret_cast<std::uint8_t*>(frame);
    job.hash_alg = IMB_AUTH_HMAC_SHA_256;
    job.src = bytes;
    job.hash_start_src_offset_in_bytes = 0;
    job.msg_len_to_hash_in_bytes = frame_layout::header + shape_.plaintext();
    job.auth_tag_output = bytes + shape_.size - shape_.tag;
    job.auth_tag_output_len_in_bytes = shape_.tag;
    job.u.HMAC._hashed_auth_key_xor_ipad = inner_.data();
    job.u.HMAC._hashed_auth_key_xor_opad = outer_.data();
  }

  FrameShape shape_;
  std::unique_ptr<IMB_MGR, Free> manager_{alloc_mb_mgr(0)};
  alignas(64) std::array<std::uint8_t, 240> round_keys_{};
  alignas(64) std::array<std::uint8_t, 240> unused_{};
  alignas(64) std::array<std::uint8_t, 32> inner_{};
  alignas(64) std::array<std::uint8_t, 32> outer_{};
  std::array<std::array<std::uint8_t, 16>, FrameEngine::max_batch> counters_{};
  std::array<IMB_JOB, FrameEngine::max_batch> jobs_{};
};

}  // namespace penstock::bench
