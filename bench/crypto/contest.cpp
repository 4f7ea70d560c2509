#include "contest.hpp"

#include <x86intrin.h>

#include <algorithm>

#include "penstock/base/check.hpp"

namespace penstock::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t min_rounds = 5;

double median(std::vector<double> values) {
  check(!values.empty(), "a contest was not run");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

template <class Of>
double median_of(std::size_t count, Of of) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = of(i);
  return median(std::move(values));
}

}  // namespace

Contest::Contest(FramePool& pool, std::size_t batch)
    : pool_(pool), frames_(pool.frames().first(pool.frames().size() / batch * batch)) {}

std::size_t Contest::add(Way way) {
  ways_.push_back(std::move(way));
  passes_.emplace_back();
  return ways_.size() - 1;
}

void Contest::run(std::chrono::milliseconds budget) {
  run_round(0);
  for (auto& passes : passes_) passes.clear();
  const auto start = Clock::now();
  for (std::size_t round = 0; round < min_rounds || Clock::now() - start < budget; ++round)
    run_round(round);
}

// Another way begins each round: none always follows the same one.
void Contest::run_round(std::size_t round) {
  for (std::size_t i = 0; i < ways_.size(); ++i) {
    const std::size_t way = (round + i) % ways_.size();
    passes_[way].push_back(time(ways_[way]));
  }
}

Contest::Pass Contest::time(const Way& way) {
  if (way.received != nullptr) pool_.copy_from(*way.received);
  const auto start = Clock::now();
  const std::uint64_t first_cycle = __rdtsc();
  way.pass(frames_);
  const std::uint64_t last_cycle = __rdtsc();
  const std::chrono::duration<double> taken = Clock::now() - start;
  const auto count = static_cast<double>(frames_.size());
  return {.seconds = taken.count() / count,
          .cycles = static_cast<double>(last_cycle - first_cycle) / count};
}

double Contest::seconds(std::size_t way) const {
  const auto& passes = passes_[way];
  return median_of(passes.size(), [&](std::size_t i) { return passes[i].seconds; });
}

double Contest::cycles(std::size_t way) const {
  const auto& passes = passes_[way];
  return median_of(passes.size(), [&](std::size_t i) { return passes[i].cycles; });
}

double Contest::ratio(std::size_t way, std::size_t other) const {
  return median_of(passes_[way].size(), [&](std::size_t i) {
    return passes_[other][i].seconds / passes_[way][i].seconds;
  });
}

double Contest::ratio_to_sum(std::size_t way, std::size_t one, std::size_t two) const {
  return median_of(passes_[way].size(), [&](std::size_t i) {
    return (passes_[one][i].seconds + passes_[two][i].seconds) / passes_[way][i].seconds;
  });
}

std::size_t Contest::fastest(const std::vector<std::size_t>& ways) const {
  return *std::ranges::min_element(ways, {}, [this](std::size_t way) { return seconds(way); });
}

}  // namespace penstock::bench
