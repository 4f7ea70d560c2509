// How a process seals and opens on this CPU: which of ipsec-mb's code runs which part of a
// batch, for every protection. Found once, at start-up, by measuring: the same instructions are
// fast on one CPU and slow on the next, and a manager that hashes 16 frames side by side takes
// as long for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "penstock/base/error.hpp"
#include "penstock/base/suite.hpp"

namespace penstock {

// What may be used: everything this CPU has. Less is for tests and benchmarks.
struct EngineOptions {
  enum class Vectors : std::uint8_t { sse, avx2, avx512 };

  Vectors vectors = Vectors::avx512;  // at most
  bool sha_instructions = true;
  bool aes_instructions = true;
  // Where there are no AES instructions, seal with OpenSSL's portable code rather than refuse.
  bool allow_slow = false;
  // Measure what pipes need and nothing else, in less time: a plan for PipeEngine alone.
  bool is_for_pipes = false;
};

// Frames that are sealed or opened together: a bit of a word each.
inline constexpr std::size_t max_batch = 64;

class EnginePlan {
 public:
  struct Choices;

  // Takes tens of milliseconds. Fails where the CPU has no AES instructions.
  [[nodiscard]] static Result<EnginePlan> measure(const EngineOptions& options = {});

  // For the log and for status: "ipsec-mb 1.3.0 on AVX512, VAES, SHA-NI".
  [[nodiscard]] std::string describe() const;
  // Which code seals this protection, and why: "a frame of 1472 bytes: cipher AVX512 97 ns (AVX2
  // 191, SSE 193); MAC among 16 AVX2 455 ns (AVX512 481, SSE 456); MAC alone AVX2 870 ns (...)".
  // At most 191 bytes.
  [[nodiscard]] std::string describe(Protection protection) const;
  // OpenSSL seals, for want of AES instructions.
  [[nodiscard]] bool is_slow() const;
  // The largest of the batches that cost least a frame, at most max_batch. For benchmarks: no
  // frame ever waits for a batch to fill.
  [[nodiscard]] std::size_t preferred_batch(Protection protection) const;

  [[nodiscard]] const Choices& choices() const { return *choices_; }

 private:
  explicit EnginePlan(std::shared_ptr<const Choices> choices) : choices_(std::move(choices)) {}
  std::shared_ptr<const Choices> choices_;
};

}  // namespace penstock
