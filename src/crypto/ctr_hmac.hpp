// AES in counter mode, then HMAC-SHA-2 over header and ciphertext: a cipher burst and a hash
// burst for up to 16 frames at a time, so that they are still in the first-level cache when they
// are hashed. No frame waits for others to fill a burst.
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
  // The hash's states after the first block of HMAC's two hashes: key xor ipad, key xor opad.
  std::array<std::byte, 64> inner{};
  std::array<std::byte, 64> outer{};
};
static_assert(sizeof(CtrHmacKeys) <= 384, "six cache lines a frame");

class CtrHmac {
 public:
  static constexpr std::size_t group = HashPlan::max_frames;

  // The managers outlive it.
  CtrHmac(Protection protection, CtrHmacChoice choice, std::span<IMB_MGR* const> managers);

  void expand(const EncryptKey& encrypt, const MacKey& mac, CtrHmacKeys& out) const;

  // At most 64 frames.
  void seal(Batch batch) noexcept;
  // MAC first: a refused frame's bytes stay as they came.
  [[nodiscard]] OpenedMask open(Batch batch) noexcept;

  // --- the steps, for measuring; at most `group` frames -------------------------------
  void encrypt(Batch batch, std::size_t manager) noexcept;
  // Tags of all frames, by one manager, into the scratch.
  void hash(Batch batch, std::size_t manager) noexcept;

 private:
  static constexpr std::size_t longest_tag = 48;
  static constexpr std::size_t counter_block = 16;

  struct Algorithms {
    IMB_KEY_SIZE_BYTES key{};
    IMB_HASH_ALG hash{};
    std::size_t full_tag = 0;
    std::size_t hash_block = 0;
  };
  // Everything a group needs besides the frames, in secret memory: a full tag is more than what
  // travels, and the tag computed for a frame that is refused would be its forgery.
  struct Scratch {
    alignas(64) std::array<std::array<std::byte, 64>, group> tags{};
    std::array<std::array<std::byte, counter_block>, group> counters{};
    std::array<IMB_JOB, group> cipher_jobs{};
    std::array<IMB_JOB, group> hash_jobs{};
  };

  static Algorithms algorithms_of(Protection protection);
  void prepare();
  void hash_all(Batch batch) noexcept;
  void hash_some(std::size_t first, std::size_t count, std::size_t manager) noexcept;
  void add_hash_jobs(Batch batch) noexcept;
  void one_block(Bytes block, std::span<std::byte, 64> state) const;
  [[nodiscard]] OpenedMask verify(Batch batch) noexcept;

  Algorithms algorithms_;
  CtrHmacChoice choice_;
  std::array<IMB_MGR*, HashPlan::max_managers> managers_{};
  SecretBox<Scratch> scratch_;
};

}  // namespace penstock
