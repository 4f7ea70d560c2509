#include "turns.hpp"

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
  check(!values.empty(), "these ways were not run");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
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

double cycles_per_second() {
  static const double counted = count_cycles_per_second();
  return counted;
}

double thread_seconds() {
  timespec now{};
  check(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0, "a thread has a clock of its own");
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::size_t Turns::add(std::string name, Pass pass) {
  ways_.push_back({.name = std::move(name), .pass = std::move(pass), .seconds = {}});
  return ways_.size() - 1;
}

void Turns::run(std::chrono::milliseconds budget) {
  run_round(0);
  for (Entry& way : ways_) way.seconds.clear();
  const auto start = Clock::now();
  for (std::size_t round = 0; round < min_rounds || Clock::now() - start < budget; ++round)
    run_round(round);
}

// Another way begins each round: none always follows the same one.
void Turns::run_round(std::size_t round) {
  for (std::size_t i = 0; i < ways_.size(); ++i) {
    Entry& way = ways_[(round + i) % ways_.size()];
    way.seconds.push_back(way.pass());
  }
}

double Turns::seconds(std::size_t way) const { return median(ways_[way].seconds); }

double Turns::cycles(std::size_t way) const { return seconds(way) * cycles_per_second(); }

double Turns::ratio(std::size_t way, std::size_t other) const {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ways_[way].seconds.size(); ++i)
    ratios.push_back(ways_[other].seconds[i] / ways_[way].seconds[i]);
  return median(std::move(ratios));
}

double Turns::ratio_to_sum(std::size_t way, std::size_t one, std::size_t two) const {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ways_[way].seconds.size(); ++i)
    ratios.push_back((ways_[one].seconds[i] + ways_[two].seconds[i]) / ways_[way].seconds[i]);
  return median(std::move(ratios));
}

double Turns::seconds_without(std::size_t way, std::size_t part) const {
  std::vector<double> all;
  for (std::size_t i = 0; i < ways_[way].seconds.size(); ++i) all.push_back(rest(i, {way, part}));
  return median(std::move(all));
}

double Turns::ratio_without(std::size_t way, std::size_t part, std::size_t other) const {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ways_[way].seconds.size(); ++i)
    ratios.push_back(ways_[other].seconds[i] / rest(i, {way, part}));
  return median(std::move(ratios));
}

double Turns::cost_without(Rest way, Rest other) const {
  std::vector<double> costs;
  for (std::size_t i = 0; i < ways_[way.way].seconds.size(); ++i)
    costs.push_back(rest(i, other) / rest(i, way));
  return median(std::move(costs));
}

std::size_t Turns::fastest(const std::vector<std::size_t>& ways) const {
  return *std::ranges::min_element(ways, {}, [this](std::size_t way) { return seconds(way); });
}

}  // namespace penstock::bench
