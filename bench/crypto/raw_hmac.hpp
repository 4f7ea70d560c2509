// Bare ipsec-mb calls for the CTR and HMAC suites: unchecked, one key, tags written straight
// into the frames, jobs prepared once so that a batch only sets what differs between frames.
// What FrameEngine is measured against.
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

class RawHmac {
 public:
  // Uses the keys of SA 0.
  RawHmac(const Manager& manager, Protection protection, FrameShape shape, Direction direction);

  // Each takes at most FrameEngine::max_batch frames, whose headers are written.
  void cipher(Frames frames);
  void hash(Frames frames);
  // The two passes: cipher then hash, or hash then cipher where frames are opened.
  void both(Frames frames);
  // One job a frame that does both, through the library's queue of jobs.
  void chained(Frames frames);

  // Hashing as jobs, which the library may finish in any later call.
  void submit_hash(std::byte* frame);
  void flush();

 private:
  void prepare_jobs();
  void expand_keys();
  void set_cipher(IMB_JOB& job, std::size_t index, std::byte* frame);
  void set_hash(IMB_JOB& job, std::byte* frame) const;

  struct alignas(64) KeySchedule {
    std::array<std::uint8_t, 240> bytes{};
  };
  struct alignas(64) HashState {
    std::array<std::uint8_t, 64> bytes{};
  };

  std::shared_ptr<IMB_MGR> manager_;
  Protection protection_;
  FrameShape shape_;
  Direction direction_;
  IMB_HASH_ALG hash_;
  IMB_KEY_SIZE_BYTES key_size_;
  KeySchedule encrypt_;
  KeySchedule decrypt_;  // of no use to CTR, but the library writes it
  HashState inner_;
  HashState outer_;
  IMB_JOB cipher_template_{};
  IMB_JOB hash_template_{};
  std::array<std::array<std::uint8_t, 16>, FrameEngine::max_batch> counters_{};
  std::array<IMB_JOB, FrameEngine::max_batch> cipher_jobs_{};
  std::array<IMB_JOB, FrameEngine::max_batch> hash_jobs_{};
};

}  // namespace penstock::bench
