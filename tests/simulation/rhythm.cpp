#include "rhythm.hpp"

#include <fmt/format.h>

#include "tests/simulation/failure.hpp"

namespace penstock::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view invariant = "one frame a tick";
constexpr Time second_of_rate = 1000s;
// Virtual time stands still for so long after a turn: so late may a tick be, and the one from which
// ticks are counted.
constexpr Time slack = 2us;

// Exact to well under a nanosecond over any run.
Time time_of(std::uint64_t ticks, std::uint64_t rate) {
  const long double time = static_cast<long double>(ticks) * second_of_rate.count() / rate;
  return Time{static_cast<Time::rep>(time)};
}

std::uint64_t ticks_in(Time time, std::uint64_t rate) {
  const long double ticks = static_cast<long double>(time.count()) * rate / second_of_rate.count();
  return static_cast<std::uint64_t>(ticks);
}

std::string_view name_of(int site) { return site == 0 ? "alpha" : "beta"; }

}  // namespace

void Rhythm::begin(Time now, std::uint64_t rate) {
  rate_ = rate;
  first_ = now;
  tick_ = skipped_ = 0;
}

void Rhythm::on_grid(int site, Time now, std::uint64_t rate) {
  if (rate != rate_) return begin(now, rate);
  const std::uint64_t tick = ticks_in(now - first_ + time_of(1, rate) / 2, rate);
  const Time off = now - first_ - time_of(tick, rate);
  if (off > slack || off < -slack)
    throw Failure{invariant, fmt::format("{} sent a frame {} ns beside a tick of {} ns",
                                         name_of(site), off.count(), time_of(1, rate).count())};
  if (tick <= tick_)
    throw Failure{invariant, fmt::format("{} sent two frames at one tick", name_of(site))};
  skipped_ = tick - tick_ - 1;
  tick_ = tick;
}

void Rhythm::apart(int site, Time now, std::uint64_t rate) {
  if (rate == rate_ && now - first_ < time_of(1, rate) - slack)
    throw Failure{invariant, fmt::format("{} sent two frames within {} ns, less than its interval",
                                         name_of(site), (now - first_).count())};
  begin(now, rate);
}

}  // namespace penstock::simulation
