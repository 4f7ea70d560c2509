// The anti-replay window of one SA (RFC 4303 appendix A, RFC 6479's bitmap of blocks).
// Two steps: a look before crypto is spent, and the decision once the MAC holds.
#pragma once

#include <array>
#include <cstdint>

#include "penstock/base/limits.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

enum class ReplayVerdict : std::uint8_t { fresh, replayed, too_old };

class ReplayWindow {
 public:
  // What admit would say now; changes nothing.
  [[nodiscard]] ReplayVerdict look(SequenceNumber sequence) const;
  // Tests and sets the bit at once: of two copies in one batch one is fresh and the
  // other replayed. Call in batch order, only for frames whose MAC holds.
  [[nodiscard]] ReplayVerdict admit(SequenceNumber sequence);
  // The highest number admitted plus one; 0 before the first.
  [[nodiscard]] std::uint64_t next() const { return next_; }

 private:
  static constexpr unsigned word_bits = 64;
  // A power of two, and at least one word more than the window, so that a whole word
  // can be cleared ahead of it.
  static constexpr unsigned words = 2 * limits::replay_window / word_bits;

  std::uint64_t next_ = 0;
  std::array<std::uint64_t, words> bits_{};
};

}  // namespace penstock
