// What frames and pipe packets have in common: AES in counter mode and HMAC-SHA-2 over many
// messages at once, as a cipher burst and a hash burst for each manager that the plan gives a
// share. No message waits for others to fill a burst.
// Source: SP 800-38A section 6.5, RFC 2104, FIPS 180-4.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
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

class CtrHmacBursts {
 public:
  // What is in memory from `at` on: `hashed` bytes under the MAC, of which the first `clear`, the
  // same of all messages, are not encrypted, and the `text` after those are.
  struct Message {
    const CtrHmacKeys* keys;
    std::byte* at;
    const std::byte* number;  // be64: counter block = number || be64 block counter from 0
    std::size_t text;
    std::size_t hashed;
  };

  // The managers outlive it.
  CtrHmacBursts(Protection protection, CtrHmacChoice choice, std::span<IMB_MGR* const> managers,
                std::size_t clear);

  void expand(const EncryptKey& encrypt, const MacKey& mac, CtrHmacKeys& out) const;

  // What both bursts are to do with the i-th message of a batch of at most max_batch.
  void set(std::size_t i, const Message& message) noexcept {
    std::memcpy(scratch_->counters[i].data(), message.number, 8);
    const std::uint8_t* const states = library_bytes(message.keys->states.data());
    IMB_JOB& job = scratch_->jobs[i];
    job.enc_keys = message.keys->round_keys.data();
    job.src = library_bytes(message.at);
    job.dst = library_bytes(message.at + clear_);
    job.msg_len_to_cipher_in_bytes = message.text;
    job.msg_len_to_hash_in_bytes = message.hashed;
    job.u.HMAC._hashed_auth_key_xor_ipad = states;
    job.u.HMAC._hashed_auth_key_xor_opad = states + algorithms_.state;
  }
  // Encrypts or decrypts the first `count` messages, in place.
  void cipher(std::size_t count) noexcept { cipher(count, choice_.cipher); }
  // Their full tags into the scratch.
  void hash(std::size_t count) noexcept;
  [[nodiscard]] const std::byte* tag(std::size_t i) const { return scratch_->tags[i].data(); }
  // That of a message that is refused would be its forgery.
  void wipe_tag(std::size_t i) noexcept { wipe(scratch_->tags[i]); }
  // Of the keys, all that a batch touches.
  [[nodiscard]] std::size_t keys_size() const {
    return offsetof(CtrHmacKeys, states) + 2 * algorithms_.state;
  }

  // --- one manager, for measuring -------------------------------------------------------
  void cipher(std::size_t count, std::size_t manager) noexcept;
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
  // Everything a batch needs besides the messages, in secret memory: a full tag is more than what
  // a frame has of it.
  struct Scratch {
    alignas(64) std::array<std::array<std::byte, longest_tag>, max_batch> tags{};
    std::array<std::array<std::byte, counter_block>, max_batch> counters{};
    std::array<IMB_JOB, max_batch> jobs{};  // for both bursts, each of which looks at its own
  };

  static Algorithms algorithms_of(Protection protection);
  void prepare();
  void one_block(Bytes block, std::byte* state) const;

  Algorithms algorithms_;
  CtrHmacChoice choice_;
  std::array<IMB_MGR*, HashPlan::max_managers> managers_{};
  std::size_t clear_;
  SecretBox<Scratch> scratch_;
};

}  // namespace penstock
