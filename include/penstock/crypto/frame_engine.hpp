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
#include "penstock/base/suite.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "penstock/crypto/sa_keys.hpp"
#include "penstock/keys/secret.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

// Jobs have no initialisers: arrays of 64 are made for every batch and seldom filled.

// A frame to seal: its plaintext is in place, `frame` has shape().size bytes. The engine writes
// header and tag. At the hard limit of its SA a frame is not sealed but wiped.
struct SealJob {
  SealKeys* keys;
  std::byte* frame;
  bool is_sealed;
};

// A frame to open. The only way to plaintext: `plaintext` stays empty unless the tag held,
// then it spans prologue and payload inside the frame, decrypted in place. A refused frame's
// ciphertext is as it came or, with the AEAD suites, zeros.
struct OpenJob {
  const ExpandedKeys* keys;
  std::byte* frame;
  Bytes plaintext;
};

class FrameEngine {
 public:
  static constexpr std::size_t max_batch = penstock::max_batch;

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
