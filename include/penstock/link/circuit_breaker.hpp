// A circuit breaker (RFC 8084) for frames that leave whether or not the path can carry them: stops
// them when more than half are lost persistently, or when the far side says nothing of them for
// long; then tries again, gently. Pure, on virtual time.
//
// A path may lose a fifth of its frames for years (a bad radio) and the link is still of use; a
// router that has less room than half of what is sent to it serves nobody by being sent it. So the
// threshold is half, and five reports in a row have to say so: an outage of three seconds, as when
// routes change, is none of its business.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "penstock/base/clock.hpp"

namespace penstock {

struct BreakerEvent {
  enum class Kind : std::uint8_t { stopped, resumed } kind{};
  std::uint32_t lost_ppm = 0;  // of stopped: of a million frames; a million: nothing was heard
};

class CircuitBreaker {
 public:
  enum class State : std::uint8_t { closed, open, probing };

  static constexpr std::uint32_t trip_ppm = 500'000;            // a report with more is a bad one
  static constexpr unsigned bad_reports = 5;                    // in a row trip it,
  static constexpr unsigned bad_probing_reports = 2;            // or while it tries again
  static constexpr Time silence = std::chrono::seconds{30};     // without a report trips it as well
  static constexpr Time first_wait = std::chrono::seconds{10};  // before it tries again
  // Doubling up to here. Whoever can lose a few frames at the right time, at a 16th of the rate,
  // keeps the link stopped; with this he has to do so every minute.
  static constexpr Time last_wait = std::chrono::minutes{1};
  // It was closed for so long: the next trip is a first one again.
  static constexpr Time calm = std::chrono::minutes{5};
  static constexpr unsigned most_halvings = 4;  // of the rate: it tries again with a 16th

  // Frames begin to leave, maybe of a new session, whose path a handshake has just proved.
  void begin(Time now);
  // A report came that tells of enough frames to be judged.
  void judge(std::uint32_t lost_ppm, Time now);
  // A report came, of whatever.
  void hear(Time now);
  // Call now and then; `are_sent`: frames have left since the last report.
  void expire(bool are_sent, Time now);

  [[nodiscard]] State state() const { return state_; }
  // How often the rate is halved while it is probing; 0 when closed.
  [[nodiscard]] unsigned halvings() const { return halvings_; }
  [[nodiscard]] std::uint64_t trips() const { return trips_; }
  // When it turned to what it is.
  [[nodiscard]] Time since() const { return since_; }
  // What the operator is to know, each once: stopped at the first trip, resumed when it is closed.
  [[nodiscard]] std::optional<BreakerEvent> take_event();

 private:
  void trip(std::uint32_t lost_ppm, Time now);
  void probe(Time now);
  void close(Time now);

  State state_ = State::closed;
  bool is_silent_ = false;  // tripped because nothing was heard
  bool is_told_ = false;    // stopped
  unsigned bad_in_row_ = 0;
  unsigned halvings_ = 0;
  Time wait_{};
  Time since_{};
  Time heard_at_{};
  std::uint64_t trips_ = 0;
  std::optional<BreakerEvent> event_;
};

}  // namespace penstock
