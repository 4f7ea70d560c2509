// How long things waited lately: counts in buckets that are linear within a power of two and
// double from one to the next, so that every value is known to a sixteenth (the idea of
// HdrHistogram). Two halves take turns, so that a percentile is of the last 10 to 20 seconds.
// 3 KB; recording costs an increment. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "penstock/base/clock.hpp"

namespace penstock {

class DelayHistogram {
 public:
  static constexpr Time half = std::chrono::seconds{10};

  // Upper edges of the buckets: at most a sixteenth (and a microsecond) too much. 0: nothing
  // was recorded.
  struct Percentiles {
    Time p50{};
    Time p99{};
  };

  void record(Time delay, Time now) {
    turn(now);
    ++halves_[newer_][bucket_of(delay)];
  }
  [[nodiscard]] Percentiles percentiles(Time now);

 private:
  // In units of 1.024 us: below 32 each has its own bucket; then 16 for each power of two, up to
  // 2^27 units (137 s). What is longer counts as that.
  static constexpr unsigned unit_bits = 10;
  static constexpr unsigned step_bits = 4;
  static constexpr unsigned steps = 1u << step_bits;
  static constexpr unsigned most_bits = 27;
  static constexpr std::size_t buckets = (most_bits - step_bits + 1) * steps;
  using Counts = std::array<std::uint32_t, buckets>;

  [[nodiscard]] static constexpr std::size_t bucket_of(Time delay) {
    constexpr std::uint64_t most = (std::uint64_t{1} << most_bits) - 1;
    const auto ns = static_cast<std::uint64_t>(std::max(delay, Time{}).count());
    const std::uint64_t units = std::min(ns >> unit_bits, most);
    const auto shift =
        static_cast<unsigned>(std::bit_width(units | (2 * steps - 1)) - step_bits - 1);
    return shift * steps + static_cast<std::size_t>(units >> shift);
  }
  [[nodiscard]] static Time upper_edge(std::size_t bucket);
  void turn(Time now) {
    if (now >= turns_at_) [[unlikely]]
      change_halves(now);
  }
  void change_halves(Time now);

  std::array<Counts, 2> halves_{};
  Time turns_at_{};
  unsigned newer_ = 0;
};

}  // namespace penstock
