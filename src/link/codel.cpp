#include "penstock/link/codel.hpp"

#include <algorithm>
#include <cmath>

namespace penstock {
namespace {

// RFC 8289, section 3.3: CONTROL_LAW.
Time after(Time start, Time interval, std::uint32_t count) {
  const double wait = static_cast<double>(interval.count()) / std::sqrt(static_cast<double>(count));
  return start + Time{static_cast<Time::rep>(wait)};
}

// Within so many intervals of the last time the queue is as it was then (section 5.3).
constexpr int remembers = 16;

}  // namespace

CodelSettings codel_for(Time frame_interval, std::size_t payload) {
  CodelSettings settings;
  const std::size_t frames = (Codel::one_packet + payload - 1) / payload;
  settings.target = std::max(settings.target, frame_interval * static_cast<int>(frames) * 3 / 2);
  settings.interval = std::max(settings.interval, settings.target * 2);
  return settings;
}

bool Codel::has_stood(Time waited, std::size_t behind, Time now, const CodelSettings& settings) {
  if (waited < settings.target || behind <= one_packet) {
    above_until_ = never;
    return false;
  }
  if (above_until_ == never) {
    above_until_ = now + settings.interval;
    return false;
  }
  return now >= above_until_;
}

// Picks up near the rate that it took to control the queue before, if that was lately.
void Codel::begin(Time now, const CodelSettings& settings) {
  const std::uint32_t done_before = count_ - last_count_;
  const bool was_lately = next_ != never && now - next_ < settings.interval * remembers;
  count_ = done_before > 1 && was_lately ? done_before : 1;
  last_count_ = count_;
  next_ = after(now, settings.interval, count_);
  is_acting_ = true;
}

// The pseudo-code of section 5, a packet at a time: what it drops in one loop is here a row of
// calls with the same `now`.
Codel::Verdict Codel::judge(Time waited, std::size_t behind, Time now,
                            const CodelSettings& settings) {
  if (!has_stood(waited, behind, now, settings)) {
    is_acting_ = false;
    return Verdict::pass;
  }
  if (!is_acting_) {
    begin(now, settings);
    return Verdict::act;
  }
  if (now < next_) return Verdict::pass;
  ++count_;
  next_ = after(next_, settings.interval, count_);
  return Verdict::act;
}

}  // namespace penstock
