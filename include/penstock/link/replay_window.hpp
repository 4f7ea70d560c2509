// The anti-replay window of one SA (RFC 4303 appendix A, RFC 6479's bitmap of blocks).
// Two steps: a look before crypto is spent, and the decision once the MAC holds.
#pragma once

#include <array>
#include <cstdint>

#include "penstock/base/limits.hpp"
#include "penstock/base/prefetch.hpp"
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
  void fetch(SequenceNumber sequence) const { prefetch(&bits_[word(sequence.value)]); }
  // The highest number admitted plus one; 0 before the first.
  [[nodiscard]] std::uint64_t next() const { return next_; }

 private:
  static constexpr unsigned word_bits = 64;
  // A power of two, and at least one word more than the window, so that a whole word
  // can be cleared ahead of it.
  static constexpr unsigned words = 2 * limits::replay_window / word_bits;
  static_assert((words & (words - 1)) == 0);

  [[nodiscard]] static constexpr std::uint64_t bit(std::uint64_t number) {
    return std::uint64_t{1} << number % word_bits;
  }
  [[nodiscard]] static constexpr std::size_t word(std::uint64_t number) {
    return number / word_bits % words;
  }
  void move_to(std::uint64_t number);

  std::uint64_t next_ = 0;
  std::array<std::uint64_t, words> bits_{};
};

inline ReplayVerdict ReplayWindow::look(SequenceNumber sequence) const {
  const std::uint64_t number = sequence.value;
  if (sequence == last_sequence) [[unlikely]]
    return ReplayVerdict::too_old;
  if (number >= next_) return ReplayVerdict::fresh;
  if (next_ - number > limits::replay_window) return ReplayVerdict::too_old;
  return (bits_[word(number)] & bit(number)) != 0 ? ReplayVerdict::replayed : ReplayVerdict::fresh;
}

inline ReplayVerdict ReplayWindow::admit(SequenceNumber sequence) {
  const ReplayVerdict verdict = look(sequence);
  if (verdict != ReplayVerdict::fresh) return verdict;
  const std::uint64_t number = sequence.value;
  if (number >= next_) move_to(number);
  bits_[word(number)] |= bit(number);
  return verdict;
}

// Clears the words that begin ahead of the old top, up to the one that holds `number`.
inline void ReplayWindow::move_to(std::uint64_t number) {
  const std::uint64_t first = next_ / word_bits + (next_ % word_bits != 0);
  const std::uint64_t end = number / word_bits + 1;
  if (end > first && end - first >= words) {
    bits_.fill(0);
  } else {
    for (std::uint64_t at = first; at < end; ++at) bits_[at % words] = 0;
  }
  next_ = number + 1;
}

}  // namespace penstock
