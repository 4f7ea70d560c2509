// Delays in nanoseconds, each known to a 64th: buckets that are linear within a power of two and
// double from one to the next (the idea of HdrHistogram). The worker's own DelayHistogram knows
// them to a sixteenth, and nothing below a microsecond.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "penstock/base/clock.hpp"

namespace penstock::bench {

class PathHistogram {
 public:
  void record(Time delay) {
    const auto value = static_cast<std::uint64_t>(std::max(delay, Time{}).count());
    ++counts_[bucket_of(value)];
    ++all_;
    worst_ = std::max(worst_, value);
  }
  // In microseconds: as many as this share were no longer.
  [[nodiscard]] double at(double share) const {
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(all_) * share);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted || (seen == all_ && all_ != 0)) return edge(i) / 1e3;
    }
    return 0;
  }
  [[nodiscard]] double worst() const { return static_cast<double>(worst_) / 1e3; }
  [[nodiscard]] std::uint64_t count() const { return all_; }

 private:
  static constexpr unsigned step_bits = 6;
  static constexpr std::uint64_t steps = 1U << step_bits;

  static std::size_t bucket_of(std::uint64_t value) {
    const auto shift =
        static_cast<unsigned>(std::bit_width(value | (2 * steps - 1)) - step_bits - 1);
    return shift * steps + (value >> shift);
  }
  static double edge(std::size_t bucket) {
    const std::size_t shift = bucket < 2 * steps ? 0 : bucket / steps - 1;
    return static_cast<double>((bucket - shift * steps + 1) << shift);
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>((64 - step_bits + 1) * steps);
  std::uint64_t all_ = 0;
  std::uint64_t worst_ = 0;
};

}  // namespace penstock::bench
