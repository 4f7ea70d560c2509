#include "penstock/link/delay_histogram.hpp"

#include <numeric>

namespace penstock {

// Buckets from `steps` on: shift * steps + value >> shift, where the second is in [steps, 2 steps).
Time DelayHistogram::upper_edge(std::size_t bucket) {
  const std::size_t shift = bucket < 2 * std::size_t{steps} ? 0 : bucket / steps - 1;
  const std::size_t value = bucket - shift * steps;
  const std::uint64_t units = static_cast<std::uint64_t>(value + 1) << shift;
  return Time{static_cast<Time::rep>(units << unit_bits)};
}

void DelayHistogram::change_halves(Time now) {
  // After a long silence both are old.
  if (now >= turns_at_ + half) halves_[newer_].fill(0);
  newer_ = 1 - newer_;
  halves_[newer_].fill(0);
  turns_at_ = now + half;
}

DelayHistogram::Percentiles DelayHistogram::percentiles(Time now) {
  turn(now);
  const auto sum = [](const Counts& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  };
  const std::uint64_t all = sum(halves_[0]) + sum(halves_[1]);
  Percentiles found;
  if (all == 0) return found;
  const std::uint64_t middle = (all + 1) / 2;
  const std::uint64_t late = all - all / 100;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    const std::uint64_t before = seen;
    seen += std::uint64_t{halves_[0][i]} + halves_[1][i];
    if (before < middle && seen >= middle) found.p50 = upper_edge(i);
    if (before < late && seen >= late) found.p99 = upper_edge(i);
    if (seen == all) break;
  }
  return found;
}

}  // namespace penstock
