// Sealing and opening batches of frames in place: encrypt then MAC, verify then decrypt. One
// engine a worker; it owns the library's managers and all scratch. Frames of different SAs and
// protections may stand in one batch in any mix.
//
//   CTR suites          counter block = be64 sequence || be64 block counter from 0; HMAC over
//                       header and ciphertext, its first `tag` bytes at the end of the frame
//   AEAD suites         nonce = 4 zero bytes || be64 sequence; associated data = the header
//   NULL                nothing is done, nothing is checked
//
// Source: SP 800-38A, RFC 2104; SP 800-38D; RFC 8439; docs/protocol.md section "Frames".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "penstock/base/bytes.hpp"
#include "penstock/base/error.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "penstock/keys/secret.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

// The keys of one SA in the form the engine computes with: key schedules, HMAC inner states and
// GCM's tables, secrets themselves, in secret memory. Made by an engine and good for every
// engine of the same plan.
class ExpandedKeys {
 public:
  ExpandedKeys(ExpandedKeys&&) noexcept;
  ExpandedKeys& operator=(ExpandedKeys&&) noexcept;
  ~ExpandedKeys();

  [[nodiscard]] Protection protection() const { return protection_; }
  [[nodiscard]] FrameShape shape() const { return shape_; }
  // Laid out as the plan's way with this protection wants it; null where there are no keys.
  [[nodiscard]] const std::byte* memory() const { return memory_; }

 private:
  friend class FrameEngine;
  ExpandedKeys(Protection protection, FrameShape shape, std::size_t size);
  std::byte* memory_;
  std::uint32_t size_;  // of that memory
  FrameShape shape_;
  Protection protection_;
};

// An SA as its sender has it: the keys and the sequence numbers that they may be used with,
// which live and die together. Each number is taken once, by FrameEngine::seal and nowhere
// else; numbers only go up, and limits only come down.
class SealKeys {
 public:
  SealKeys(ExpandedKeys keys, Spi spi)
      : keys_(std::move(keys)),
        limits_(limits::sa_limits(keys_.protection(), keys_.shape().size)),
        spi_(spi) {}

  [[nodiscard]] FrameShape shape() const { return keys_.shape(); }
  [[nodiscard]] Protection protection() const { return keys_.protection(); }
  [[nodiscard]] Spi spi() const { return spi_; }
  // Of the next frame; also how many were numbered, unless some were skipped.
  [[nodiscard]] SequenceNumber next() const { return {next_}; }
  [[nodiscard]] const limits::SaLimits& limits() const { return limits_; }
  [[nodiscard]] bool wants_rekey() const { return next_ >= limits_.rekey_frames; }

  // Leaves numbers out: `first` is not below next().
  void skip_to(SequenceNumber first);
  // Neither is above what it was.
  void lower_limits(std::uint64_t rekey_frames, std::uint64_t hard_frames);

 private:
  friend class FrameEngine;
  // Writes the header with the next number. False, and the frame wiped, at the hard limit.
  [[nodiscard]] bool number(std::byte* frame);

  ExpandedKeys keys_;
  std::uint64_t next_ = 0;
  limits::SaLimits limits_;
  Spi spi_;
};

// A frame to seal: its plaintext is in place, `frame` has shape().size bytes. The engine writes
// header and tag. At the hard limit of its SA a frame is not sealed but wiped.
struct SealJob {
  SealKeys* keys = nullptr;
  std::byte* frame = nullptr;
  bool is_sealed = false;
};

// A frame to open. The only way to plaintext: `plaintext` stays empty unless the tag held,
// then it spans prologue and payload inside the frame, decrypted in place. A refused frame's
// ciphertext is as it came or, with the AEAD suites, zeros.
struct OpenJob {
  const ExpandedKeys* keys = nullptr;
  std::byte* frame = nullptr;
  Bytes plaintext{};
};

class FrameEngine {
 public:
  static constexpr std::size_t max_batch = EnginePlan::max_batch;

  // Fails where the chosen code does not give the known answers (the self-test of every suite).
  [[nodiscard]] static Result<FrameEngine> create(const EnginePlan& plan);
  FrameEngine(FrameEngine&&) noexcept;
  FrameEngine& operator=(FrameEngine&&) noexcept;
  ~FrameEngine();

  // `shape` is within the limits and the protection's tags: a programmer's error otherwise.
  [[nodiscard]] ExpandedKeys expand(Protection protection, FrameShape shape,
                                    const EncryptKey& encrypt, const MacKey& mac) const;

  // At most max_batch frames. Never writes outside a frame.
  void seal(std::span<SealJob> jobs) noexcept;
  void open(std::span<OpenJob> jobs) noexcept;

 private:
  struct State;
  explicit FrameEngine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace penstock
