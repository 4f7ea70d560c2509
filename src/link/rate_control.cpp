#include "penstock/link/rate_control.hpp"

#include <algorithm>
#include <chrono>
#include <span>

namespace penstock {
namespace {

using State = CircuitBreaker::State;

constexpr std::uint64_t million = 1'000'000;
// Fewer frames than this say nothing of a path; what comes next counts with them.
constexpr std::uint64_t least_judged = 8;
// While it tries again: enough that a report can be judged.
constexpr std::uint64_t probe_floor = 10'000;
// Without `least`: a frame a second.
constexpr std::uint64_t slowest = 1000;
// Where the far side is on no planet, or lies.
constexpr Time longest_round_trip = std::chrono::seconds{10};
// Samples are a second apart, ten times as far as RFC 5348's; so each weighs more.
constexpr unsigned samples = 4;

std::uint32_t ppm(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return 0;
  const auto share = static_cast<double>(std::min(part, whole)) / static_cast<double>(whole);
  return static_cast<std::uint32_t>(share * double{million});
}

bool is_after(const FrameReport& later, const FrameReport& earlier) {
  return later.next >= earlier.next && later.admitted >= earlier.admitted &&
         later.marked >= earlier.marked && later.events >= earlier.events;
}

}  // namespace

RateControl::RateControl(const RateLimits& limits) { set_limits(limits); }

void RateControl::set_limits(const RateLimits& limits) {
  limits_ = limits;
  if (is_burst()) breaker_ = {};
  const unsigned steps = limits.mode == ShapeMode::quantized ? limits.steps : 1;
  steps_.set_steps(std::span{limits_.rates}.first(steps), limits.dwell);
  const std::uint64_t most = limits_.rates[steps - 1];
  friendly_.set_limits(std::min(std::max(limits.least, slowest), most), most);
}

void RateControl::begin_sa(Time now) {
  last_ = {};
  judged_ = {};
  judged_ticks_ = heard_ticks_ = ticks_;
  friendly_.begin(now);
  breaker_.begin(now);
}

std::uint64_t RateControl::rate() const {
  if (state() == State::open) return 0;
  const std::uint64_t full =
      limits_.adapts ? std::min(steps_.rate(), friendly_.rate()) : steps_.rate();
  return std::max(full >> breaker_.halvings(), std::min(full, probe_floor));
}

bool RateControl::hear(const FrameReport& report, std::uint64_t frames, Time now) {
  if (report.next > frames) return false;
  if (report.clock <= last_.clock) return true;  // overtaken by a newer one
  if (!is_after(report, last_)) return false;
  ++sums_.heard;
  measure_round_trip(report, now);
  add_up(report);
  const bool has_stalled = report.next == last_.next;
  last_ = report;
  heard_ticks_ = ticks_;
  if (is_burst()) return true;
  breaker_.hear(now);
  judge(report, has_stalled, now);
  return true;
}

void RateControl::expire(Time now) {
  if (is_burst()) return;
  breaker_.expire(ticks_ != heard_ticks_, now);
  if (limits_.adapts) friendly_.expire(round_trip_, now);
}

// `echo` is our own clock, which is `now` in nanoseconds.
void RateControl::measure_round_trip(const FrameReport& report, Time now) {
  const auto clock = static_cast<std::uint64_t>(now.count());
  if (report.echo == 0 || report.echo > clock || report.held_ns > clock - report.echo) return;
  const auto taken = static_cast<Time::rep>(clock - report.echo - report.held_ns);
  const Time sample = std::clamp(Time{taken}, Time{1}, longest_round_trip);
  round_trip_ = round_trip_ == Time{} ? sample : round_trip_ + (sample - round_trip_) / samples;
}

// A frame that comes late was not lost.
void RateControl::add_up(const FrameReport& report) {
  const std::uint64_t missing = last_.next - last_.admitted;
  const std::uint64_t is_missing = report.next - report.admitted;
  sums_.lost = sums_.lost - missing + is_missing;
  sums_.marked += report.marked - last_.marked;
}

void RateControl::judge(const FrameReport& report, bool has_stalled, Time now) {
  // What left before it stopped, or while it was faster, says nothing of the path as it is now.
  const bool is_settled = now > breaker_.since() + 2 * round_trip_;
  if (state() == State::open || (state() == State::probing && !is_settled))
    return judged_up_to(report);

  const std::uint64_t admitted = report.admitted - judged_.admitted;
  // The last to arrive tells how many were sent, to a few; if none did since the report before,
  // only we know.
  const std::uint64_t frames = has_stalled ? ticks_ - judged_ticks_ : report.next - judged_.next;
  if (frames < least_judged) return;
  const std::uint64_t lost = frames - std::min(admitted, frames);
  sums_.last_ppm = ppm(lost, frames);
  if (limits_.adapts)
    friendly_.hear(frames, report.events - judged_.events, std::max(round_trip_, Time{1}), now);
  breaker_.judge(sums_.last_ppm, now);
  judged_up_to(report);
}

void RateControl::judged_up_to(const FrameReport& report) {
  judged_ = report;
  judged_ticks_ = ticks_;
}

}  // namespace penstock
