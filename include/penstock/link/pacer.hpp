// The clock of a link whose frames are timed: when the next one leaves, and how well that went.
// The ticks stand on a grid that does not drift, whatever happens between them; one that passed
// is never made up, only counted. Knows no frames: the caller says when one left.
#pragma once

#include <cstdint>

#include "penstock/base/clock.hpp"

namespace penstock {

class Pacer {
 public:
  // Rates are in frames per this time.
  static constexpr std::uint64_t second_of_rate = 1'000'000'000'000;  // 1000 s in ns
  // Faster makes no sense: a tick a nanosecond.
  static constexpr std::uint64_t max_rate = second_of_rate;

  struct Stats {
    std::uint64_t ticks = 0;    // passed, the missed ones included
    std::uint64_t missed = 0;   // at which no frame left
    std::uint64_t on_time = 0;  // frames that left within 20 % of an interval after the last
    Time latest{};              // the latest that a frame left behind its tick
  };

  // The first tick comes within an interval: `phase` of 2^64 parts of it.
  Pacer(std::uint64_t rate, std::uint64_t phase, Time now);

  [[nodiscard]] std::uint64_t rate() const { return rate_; }
  [[nodiscard]] Time interval() const { return Time{static_cast<Time::rep>(whole_)}; }
  [[nodiscard]] Time next() const { return next_; }
  [[nodiscard]] bool is_due(Time now) const { return now >= next_; }
  [[nodiscard]] const Stats& stats() const { return stats_; }
  void forget_stats() { stats_ = {}; }

  // Of what is left until the next tick, the same share is left afterwards.
  void set_rate(std::uint64_t rate, Time now);

  // Passes every tick that is due: there is one. The last of them is now's; those before are
  // missed. Returns how many those are.
  std::uint64_t advance(Time now);
  // After advance(): a frame leaves at this tick,
  void depart(Time now);
  // or none does.
  void miss() { ++stats_.missed; }

  // Nobody kept the rhythm until now: ticks that passed count for nothing, and those to come
  // stand where they would have.
  void resume(Time now);
  // Without a grid: the next tick is a whole interval away.
  void restart(Time now);

 private:
  void set_interval(std::uint64_t rate);
  void step(std::uint64_t ticks);
  [[nodiscard]] std::uint64_t ticks_until(Time now) const;

  std::uint64_t rate_ = 0;
  std::uint64_t whole_ = 0;  // ns of an interval, and
  std::uint64_t part_ = 0;   // ... parts of a nanosecond, of which there are rate_
  std::uint64_t carry_ = 0;  // parts by which the next tick is behind next_
  Time next_{};
  Time tick_{};      // that advance() passed last
  Time departed_{};  // when the last frame left; 0: none has since the start or a pause
  Stats stats_;
};

}  // namespace penstock
