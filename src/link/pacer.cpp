#include "penstock/link/pacer.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

__extension__ using Wide = unsigned __int128;

Time to_time(std::uint64_t nanoseconds) { return Time{static_cast<Time::rep>(nanoseconds)}; }
std::uint64_t to_count(Time time) { return static_cast<std::uint64_t>(time.count()); }

}  // namespace

Pacer::Pacer(std::uint64_t rate, std::uint64_t phase, Time now) {
  set_interval(rate);
  next_ = now + to_time(static_cast<std::uint64_t>(Wide{whole_} * phase >> 64));
}

void Pacer::set_interval(std::uint64_t rate) {
  check(rate > 0, "a clock has a rate");
  rate_ = std::min(rate, max_rate);
  whole_ = second_of_rate / rate_;
  part_ = second_of_rate % rate_;
  carry_ = 0;
}

void Pacer::set_rate(std::uint64_t rate, Time now) {
  const std::uint64_t old = rate_;
  set_interval(rate);
  if (now >= next_) return;
  const auto left = static_cast<std::uint64_t>(Wide{to_count(next_ - now)} * old / rate_);
  next_ = now + to_time(std::min(left, whole_));
}

void Pacer::step(std::uint64_t ticks) {
  const Wide parts = Wide{ticks} * second_of_rate + carry_;
  next_ += to_time(static_cast<std::uint64_t>(parts / rate_));
  carry_ = static_cast<std::uint64_t>(parts % rate_);
}

// Ticks at or before `now`, the next one not counted. One that falls between two nanoseconds is due
// at the first, as step() rounds: every tick with (carry_ + ticks * second) / rate_ < d + 1.
std::uint64_t Pacer::ticks_until(Time now) const {
  const Wide parts = (Wide{to_count(now - next_)} + 1) * rate_ - 1 - carry_;
  return static_cast<std::uint64_t>(parts / second_of_rate);
}

std::uint64_t Pacer::advance(Time now) {
  check(is_due(now), "a tick is due");
  // Seldom more than one: the long division is for those.
  const std::uint64_t missed = to_count(now - next_) < whole_ ? 0 : ticks_until(now);
  if (missed > 0) step(missed);
  tick_ = next_;
  next_ += to_time(whole_);
  carry_ += part_;
  if (carry_ >= rate_) {
    carry_ -= rate_;
    next_ += Time{1};
  }
  check(next_ > now, "a tick that passed is not due again");
  stats_.ticks += missed + 1;
  stats_.missed += missed;
  return missed;
}

void Pacer::depart(Time now) {
  const Time nominal = interval();
  // After a pause: behind the tick where the last frame would have left.
  const Time between = departed_ == Time{} ? now - tick_ + nominal : now - departed_;
  const Time off = between < nominal ? nominal - between : between - nominal;
  if (off <= nominal / 5) ++stats_.on_time;
  stats_.latest = std::max(stats_.latest, now - tick_);
  departed_ = now;
}

void Pacer::resume(Time now) {
  departed_ = Time{};
  if (is_due(now)) step(ticks_until(now) + 1);
  check(next_ > now, "a pause ends before a tick");
}

void Pacer::restart(Time now) {
  carry_ = 0;
  next_ = now + to_time(whole_ + (part_ != 0 ? 1 : 0));
}

}  // namespace penstock
