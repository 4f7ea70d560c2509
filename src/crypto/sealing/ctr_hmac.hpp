// AES in counter mode, then HMAC-SHA-2 over header and ciphertext: a cipher burst, then a hash
// burst for each manager that the plan gives a share. No frame waits for others to fill a burst.
// Source: SP 800-38A section 6.5, RFC 2104, FIPS 180-4.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "choices.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/keys/secret.hpp"
#include "work.hpp"

namespace penstock {

struct CtrHmacKeys {
  // 11 round keys of AES-128 or 15 of AES-256. CTR mode needs no decryption schedule.
  alignas(64) std::array<std::byte, std::size_t{15} * 16> round_keys{};
  // The hash's states after the first block of HMAC's two hashes, key xor ipad and key xor opad,
  // one behind the other: those of SHA-256 share a cache line.
  alignas(64) std::array<std::byte, std::size_t{2} * 64> states{};
};
static_assert(sizeof(CtrHmacKeys) <= 384, "six cache lines a frame");

class CtrHmac {
 public:
  // The managers outlive it.
  CtrHmac(Protection protection, CtrHmacChoice choice, std::span<IMB_MGR* const> managers);

  void expand(const EncryptKey& encrypt, const MacKey& mac, CtrHmacKeys& out) const;

  // At most max_batch frames.
  void seal(Batch batch) noexcept;
  // MAC first: a refused frame's bytes stay as they came.
  [[nodiscard]] OpenedMask open(Batch batch) noexcept;

  // --- the steps, also for measuring ----------------------------------------------------
  // What both bursts are to do with these frames.
  void add_jobs(Batch batch) noexcept;
  // The first `count` of them.
  void cipher(std::size_t count, std::size_t manager) noexcept;
  // Full tags into the scratch.
  void hash(std::size_t first, std::size_t count, std::size_t manager) noexcept;

 private:
  static constexpr std::size_t longest_tag = 48;
  static constexpr std::size_t counter_block = 16;

  struct Algorithms {
    IMB_KEY_SIZE_BYTES key{};
    IMB_HASH_ALG hash{};
    std::size_t full_tag = 0;
    std::size_t hash_block = 0;
    std::size_t state = 0;
  };
  // Everything a batch needs besides the frames, in secret memory: a full tag is more than what
  // travels, and the tag computed for a frame that is refused would be its forgery.
  struct Scratch {
    alignas(64) std::array<std::array<std::byte, longest_tag>, max_batch> tags{};
    std::array<std::array<std::byte, counter_block>, max_batch> counters{};
    std::array<IMB_JOB, max_batch> jobs{};  // for both bursts, each of which looks at its own
  };

  static Algorithms algorithms_of(Protection protection);
  void prepare();
  void fetch_keys(Batch batch) const noexcept;
  void hash_all(std::size_t count) noexcept;
  void decrypt_some(Batch batch, OpenedMask opened) noexcept;
  void one_block(Bytes block, std::byte* state) const;
  [[nodiscard]] OpenedMask verify(Batch batch) noexcept;

  Algorithms algorithms_;
  CtrHmacChoice choice_;
  std::array<IMB_MGR*, HashPlan::max_managers> managers_{};
  SecretBox<Scratch> scratch_;
};

}  // namespace penstock
