#include "contest.hpp"

#include <x86intrin.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <thread>

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

double thread_seconds() {
  timespec now{};
  check(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0, "a thread has a clock of its own");
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double count_cycles_per_second() {
  const auto start = Clock::now();
  const std::uint64_t first = __rdtsc();
  std::this_thread::sleep_for(std::chrono::milliseconds{50});
  const std::uint64_t last = __rdtsc();
  return static_cast<double>(last - first) /
         std::chrono::duration<double>(Clock::now() - start).count();
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
    passes_[way].push_back(seconds_of_pass(ways_[way]));
  }
}

double Contest::seconds_of_pass(const Way& way) {
  if (way.received != nullptr) pool_.copy_from(*way.received);
  const double start = thread_seconds();
  way.pass(frames_);
  return (thread_seconds() - start) / static_cast<double>(frames_.size());
}

double Contest::seconds(std::size_t way) const { return median(passes_[way]); }

double Contest::cycles(std::size_t way) const {
  static const double cycles_per_second = count_cycles_per_second();
  return seconds(way) * cycles_per_second;
}

double Contest::ratio(std::size_t way, std::size_t other) const {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < passes_[way].size(); ++i)
    ratios.push_back(passes_[other][i] / passes_[way][i]);
  return median(std::move(ratios));
}

double Contest::ratio_to_sum(std::size_t way, std::size_t one, std::size_t two) const {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < passes_[way].size(); ++i)
    ratios.push_back((passes_[one][i] + passes_[two][i]) / passes_[way][i]);
  return median(std::move(ratios));
}

std::size_t Contest::fastest(const std::vector<std::size_t>& ways) const {
  return *std::ranges::min_element(ways, {}, [this](std::size_t way) { return seconds(way); });
}

}  // namespace penstock::bench
