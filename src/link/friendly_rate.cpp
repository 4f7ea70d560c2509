#include "penstock/link/friendly_rate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "penstock/link/frame_report.hpp"

namespace penstock {
namespace {

constexpr double per_1000_seconds = 1000;
// RFC 5348 section 5.4: how much the newest closed intervals count.
constexpr std::array<double, 8> weights{1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2};
constexpr double smallest_discount = 0.5;  // ... section 5.5
constexpr unsigned patience = 4;           // ... section 4.3: round trips, or periods of reports

double seconds(Time time) { return std::chrono::duration<double>{time}.count(); }

std::uint64_t in_rate_units(double frames_a_second) {
  constexpr double largest = 1e15;
  return static_cast<std::uint64_t>(std::min(frames_a_second * per_1000_seconds, largest));
}

}  // namespace

double friendly_frames(double loss, double round_trip_seconds) {
  const double root = std::sqrt(2 * loss / 3);
  const double timeout = 4 * 3 * std::sqrt(3 * loss / 8) * loss * (1 + 32 * loss * loss);
  return 1 / (round_trip_seconds * (root + timeout));
}

void LossIntervals::add(std::uint64_t frames, std::uint64_t events, std::uint64_t first) {
  open_ += static_cast<double>(frames);
  if (events == 0) return;
  double each = open_ / static_cast<double>(events);
  if (is_empty()) each = std::max(each, static_cast<double>(first));
  each = std::max(each, 1.0);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(events, depth); ++i) close(each);
  open_ = 0;
}

void LossIntervals::close(double interval) {
  std::ranges::rotate(closed_, closed_.end() - 1);
  closed_[0] = interval;
  count_ = std::min(count_ + 1, depth);
}

double LossIntervals::loss() const {
  if (is_empty()) return 0;
  double closed = 0;
  double closed_weight = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    closed += closed_[i] * weights[i];
    closed_weight += weights[i];
  }
  const double mean = closed / closed_weight;
  // A long time without events makes old ones count less, so that a path that got better is used
  // again in tens of seconds and not in minutes.
  const double discount = open_ > 2 * mean ? std::max(2 * mean / open_, smallest_discount) : 1.0;
  double with_open = open_;
  double open_weight = 1;
  for (std::size_t i = 0; i + 1 < count_; ++i) {
    with_open += closed_[i] * weights[i + 1] * discount;
    open_weight += weights[i + 1] * discount;
  }
  return std::min(1 / std::max(mean, with_open / open_weight), 1.0);
}

void FriendlyRate::set_limits(std::uint64_t least, std::uint64_t most) {
  if (most == most_ && least == least_) return;
  // What the path allowed still holds, unless nothing but the configured rate did bind.
  rate_ = rate_ == most_ ? most : std::clamp(rate_, least, most);
  least_ = least;
  most_ = most;
}

// Such that the first event halves the rate, whatever came before it.
std::uint64_t FriendlyRate::first_interval(double round_trip_seconds) const {
  const double half = static_cast<double>(rate_) / per_1000_seconds / 2;
  double low = 0;
  double high = 1;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (friendly_frames(middle, round_trip_seconds) > half ? low : high) = middle;
  }
  return static_cast<std::uint64_t>(1 / std::max(high, 1e-15));
}

void FriendlyRate::hear(std::uint64_t frames, std::uint64_t events, Time round_trip, Time now) {
  patient_since_ = now;
  const double trip = std::max(seconds(round_trip), 1e-6);
  const bool is_first = intervals_.is_empty() && events > 0;
  intervals_.add(frames, events, is_first ? first_interval(trip) : 0);
  // Never more than doubled in a report, also when the equation allows it.
  const std::uint64_t doubled = rate_ > most_ / 2 ? most_ : 2 * rate_;
  const double loss = intervals_.loss();
  const std::uint64_t allowed =
      loss == 0 ? doubled : std::min(doubled, in_rate_units(friendly_frames(loss, trip)));
  rate_ = std::clamp(allowed, least_, most_);
}

void FriendlyRate::expire(Time round_trip, Time now) {
  if (now < patient_since_ + patience * std::max(Reporter::period, round_trip)) return;
  patient_since_ = now;
  rate_ = std::max(rate_ / 2, least_);
}

}  // namespace penstock
