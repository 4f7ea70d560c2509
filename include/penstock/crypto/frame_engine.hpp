// Sealing and opening batches of frames in place, with Intel ipsec-mb: encrypt then MAC,
// verify then decrypt. One engine a worker; it owns the library's managers and all scratch.
//
// Protection AES256_CTR-SHA256: counter block = be64 sequence || be64 block counter from 0;
// HMAC-SHA256 over header and ciphertext, its first `tag` bytes at the end of the frame.
// Source: SP 800-38A, RFC 2104; docs/protocol.md section "Frames".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "penstock/base/bytes.hpp"
#include "penstock/base/error.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/keys/secret.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

// The expanded keys of one SA: key schedule and HMAC inner states, secrets themselves,
// in secret memory. May be used by any engine of the same process.
class SaCipher {
 public:
  struct Expanded;

  SaCipher(SaCipher&&) noexcept;
  SaCipher& operator=(SaCipher&&) noexcept;
  ~SaCipher();

  [[nodiscard]] FrameShape shape() const;

 private:
  friend class FrameEngine;
  explicit SaCipher(Expanded* expanded) : expanded_(expanded) {}
  Expanded* expanded_;
};

// A frame to seal: header and plaintext are in place, `frame` has shape().size bytes.
struct SealJob {
  const SaCipher* sa = nullptr;
  std::byte* frame = nullptr;
};

// A frame to open. The only way to plaintext: `plaintext` stays empty unless the tag held,
// then it spans prologue and payload inside the frame, decrypted in place.
struct OpenJob {
  const SaCipher* sa = nullptr;
  std::byte* frame = nullptr;
  Bytes plaintext{};
};

class FrameEngine {
 public:
  static constexpr std::size_t max_batch = 64;

  // Which of the library's code to run: the best this CPU has, or what every CPU with AES-NI
  // has (tests, and machines whose vector units are slow).
  enum class Choice : std::uint8_t { best, sse };

  // Fails where the CPU lacks AES-NI or the library's self-test does not pass.
  [[nodiscard]] static Result<FrameEngine> create(Choice choice = Choice::best);
  FrameEngine(FrameEngine&&) noexcept;
  FrameEngine& operator=(FrameEngine&&) noexcept;
  ~FrameEngine();

  // `shape` is within the limits: a programmer's error otherwise.
  [[nodiscard]] SaCipher expand(Protection protection, FrameShape shape, const EncryptKey& encrypt,
                                const MacKey& mac) const;

  // At most max_batch frames, of any SAs, in any mix. Never writes outside a frame.
  void seal(std::span<const SealJob> jobs) noexcept;
  void open(std::span<OpenJob> jobs) noexcept;

  // Which code was chosen and why, for the log and for status: "ipsec-mb 1.3 AVX512 ...".
  [[nodiscard]] std::string describe() const;

 private:
  struct State;
  explicit FrameEngine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace penstock
