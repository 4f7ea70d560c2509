// The frames of one SA that wait for an earlier one: a ring of limits::reorder_window
// slots, indexed by sequence number. Numbers only; what a frame holds is not looked at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/base/prefetch.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

// Frames that all reassemblers of one worker hold back together. One thread.
struct HeldBudget {
  std::uint32_t held = 0;
  std::uint32_t limit = 0;

  [[nodiscard]] bool is_spent() const { return held >= limit; }
};

struct HeldFrame {
  Bytes plaintext;
  void* frame;
  std::uint64_t arrived;  // the caller's ticks
};

// All numbers held at one time lie within one window: the caller's promise.
class HeldFrames {
 public:
  static constexpr std::uint64_t window = limits::reorder_window;

  // `budget` outlives the ring.
  explicit HeldFrames(HeldBudget& budget);
  // An empty ring leaves the budget alone when it dies, so that any thread may free it.
  HeldFrames(HeldFrames&& other) noexcept;
  HeldFrames& operator=(HeldFrames&& other) noexcept;
  ~HeldFrames();

  [[nodiscard]] bool is_empty() const { return (occupied_[0] | occupied_[1]) == 0; }
  [[nodiscard]] bool has(std::uint64_t number) const {
    return (occupied_[word(number)] & bit(number)) != 0;
  }
  [[nodiscard]] bool is_budget_spent() const { return budget_->is_spent(); }

  // Begins to fetch what is looked at first in a frame, if it is held: it has waited for some time.
  void fetch(std::uint64_t number) const {
    if (has(number)) prefetch(slots_[number % window].plaintext.data());
  }
  void put(std::uint64_t number, const HeldFrame& held);
  [[nodiscard]] HeldFrame take(std::uint64_t number);  // has(number)

  // In what follows `from` is a number that no held one is below, within the window.
  // The lowest number held; last_sequence if none is.
  [[nodiscard]] std::uint64_t first(std::uint64_t from) const;
  // The highest number of those that had come at `time`; `from` if none had.
  [[nodiscard]] std::uint64_t last_arrived_by(std::uint64_t time, std::uint64_t from) const;
  // When the one that came first came; the end of time if none is held.
  [[nodiscard]] std::uint64_t earliest_arrival() const;

 private:
  static constexpr unsigned word_bits = 64;
  static constexpr unsigned words = window / word_bits;
  static_assert(words == 2, "is_empty names both words");

  [[nodiscard]] static constexpr std::uint64_t bit(std::uint64_t number) {
    return std::uint64_t{1} << number % word_bits;
  }
  [[nodiscard]] static constexpr std::size_t word(std::uint64_t number) {
    return number / word_bits % words;
  }
  void forget() noexcept;

  std::array<std::uint64_t, words> occupied_{};
  HeldBudget* budget_;
  std::unique_ptr<HeldFrame[]> slots_;
};

}  // namespace penstock
