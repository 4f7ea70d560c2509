// Bare ipsec-mb calls for the AEAD suites, in each form that the library has. What FrameEngine
// is measured against.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "contest.hpp"
#include "frame_pool.hpp"
#include "manager.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/crypto/frame_engine.hpp"

namespace penstock::bench {

class RawAead {
 public:
  // Uses the keys of SA 0.
  RawAead(const Manager& manager, Protection protection, FrameShape shape, Direction direction);

  // Each takes at most FrameEngine::max_batch frames, whose headers are written.
  void direct(Frames frames);
  void jobs(Frames frames);
  void burst(Frames frames);

 private:
  using Nonce = std::array<std::uint8_t, 12>;

  void direct_gcm(std::byte* frame, const Nonce& nonce);
  void direct_chacha(std::byte* frame, const Nonce& nonce);
  void prepare_job();
  void set_job(IMB_JOB& job, std::size_t index, std::byte* frame);

  std::shared_ptr<IMB_MGR> manager_;
  Protection protection_;
  FrameShape shape_;
  Direction direction_;
  alignas(64) gcm_key_data gcm_key_{};
  alignas(64) std::array<std::uint8_t, 32> chacha_key_{};
  alignas(64) gcm_context_data gcm_context_{};
  alignas(64) chacha20_poly1305_context_data chacha_context_{};
  IMB_JOB template_{};
  std::array<Nonce, FrameEngine::max_batch> nonces_{};
};

}  // namespace penstock::bench
