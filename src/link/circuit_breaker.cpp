#include "penstock/link/circuit_breaker.hpp"

#include <algorithm>
#include <utility>

namespace penstock {
namespace {

constexpr std::uint32_t everything = 1'000'000;

}  // namespace

void CircuitBreaker::begin(Time now) {
  heard_at_ = now;
  bad_in_row_ = 0;
  // Nobody was there to report; now somebody is.
  if (state_ == State::open && is_silent_) probe(now);
}

void CircuitBreaker::hear(Time now) {
  heard_at_ = now;
  if (state_ == State::open && is_silent_) probe(now);
}

void CircuitBreaker::judge(std::uint32_t lost_ppm, Time now) {
  if (state_ == State::open) return;
  const bool is_bad = lost_ppm > trip_ppm;
  bad_in_row_ = is_bad ? bad_in_row_ + 1 : 0;
  const bool is_probing = state_ == State::probing;
  if (bad_in_row_ >= (is_probing ? bad_probing_reports : bad_reports)) return trip(lost_ppm, now);
  if (is_probing && !is_bad && --halvings_ == 0) close(now);
}

void CircuitBreaker::expire(bool are_sent, Time now) {
  if (state_ == State::open) {
    if (now >= since_ + wait_) probe(now);
    return;
  }
  if (!are_sent || now < heard_at_ + silence) return;
  trip(everything, now);
  is_silent_ = true;
}

void CircuitBreaker::trip(std::uint32_t lost_ppm, Time now) {
  const bool is_repeated = state_ == State::probing || (wait_ != Time{} && now < since_ + calm);
  wait_ = is_repeated ? std::min(2 * wait_, last_wait) : first_wait;
  state_ = State::open;
  since_ = now;
  is_silent_ = false;
  bad_in_row_ = 0;
  halvings_ = 0;
  ++trips_;
  if (!std::exchange(is_told_, true))
    event_ = {.kind = BreakerEvent::Kind::stopped, .lost_ppm = lost_ppm};
}

void CircuitBreaker::probe(Time now) {
  state_ = State::probing;
  since_ = now;
  heard_at_ = now;
  bad_in_row_ = 0;
  halvings_ = most_halvings;
}

void CircuitBreaker::close(Time now) {
  state_ = State::closed;
  since_ = now;
  // An event that nobody has taken yet is not news any more.
  if (std::exchange(is_told_, false))
    event_ =
        event_ ? std::nullopt : std::optional{BreakerEvent{.kind = BreakerEvent::Kind::resumed}};
}

std::optional<BreakerEvent> CircuitBreaker::take_event() { return std::exchange(event_, {}); }

}  // namespace penstock
