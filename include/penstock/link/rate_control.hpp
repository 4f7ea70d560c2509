// At what rate frames of a link with a rate leave now: what its mode says, lowered by what the path
// carries where the link adapts, stopped by a circuit breaker where it carries nothing like it.
// Pure, on virtual time; one worker's, for one link and lane. Source: docs/protocol.md, "Shaping"
// and "Reports".
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "penstock/base/clock.hpp"
#include "penstock/base/shape.hpp"
#include "penstock/link/circuit_breaker.hpp"
#include "penstock/link/frame_report.hpp"
#include "penstock/link/friendly_rate.hpp"
#include "penstock/link/step_control.hpp"

namespace penstock {

// Rates are in frames per 1000 seconds.
struct RateLimits {
  ShapeMode mode = ShapeMode::constant;
  std::array<std::uint64_t, Shape::max_steps> rates{};  // ascending, none 0; [0] unless quantized
  unsigned steps = 1;                                   // of `rates`
  Time dwell{};                                         // quantized
  bool adapts = false;
  std::uint64_t least = 0;  // adapts: never below, except when stopped or trying again
};

// What reports said so far of the frames of all SAs.
struct ReportSums {
  std::uint64_t heard = 0;   // reports
  std::uint64_t lost = 0;    // frames
  std::uint64_t marked = 0;  // frames
  std::uint32_t last_ppm = 0;
};

class RateControl {
 public:
  explicit RateControl(const RateLimits& limits);

  // Another session may have other limits. What is known of the path stays known.
  void set_limits(const RateLimits& limits);
  // Frames go to another SA from here on, whose numbers begin at 0: reports are of that one.
  void begin_sa(Time now);
  // A frame leaves because its tick has come (not a keepalive of a link that is stopped).
  void tick(const TickLoad& load, Time now) {
    ++ticks_;
    steps_.tick(load, now);
  }
  // A report on the present SA. `frames`: how many of it were numbered so far. False: a lie, and
  // nothing in it is believed.
  [[nodiscard]] bool hear(const FrameReport& report, std::uint64_t frames, Time now);
  // Call a few times a second.
  void expire(Time now);

  // Now; 0: stopped. Never above what is configured.
  [[nodiscard]] std::uint64_t rate() const;
  [[nodiscard]] CircuitBreaker::State state() const { return breaker_.state(); }
  [[nodiscard]] std::uint64_t trips() const { return breaker_.trips(); }
  [[nodiscard]] unsigned step() const { return steps_.step(); }
  [[nodiscard]] Time round_trip() const { return round_trip_; }  // 0: not known yet
  [[nodiscard]] const ReportSums& sums() const { return sums_; }
  // What the operator is to know.
  [[nodiscard]] std::optional<BreakerEvent> take_event() { return breaker_.take_event(); }

 private:
  [[nodiscard]] bool is_burst() const { return limits_.mode == ShapeMode::burst; }
  void measure_round_trip(const FrameReport& report, Time now);
  void add_up(const FrameReport& report);
  // `has_stalled`: it says no more than the one before.
  void judge(const FrameReport& report, bool has_stalled, Time now);
  void judged_up_to(const FrameReport& report);

  RateLimits limits_;
  StepControl steps_;
  FriendlyRate friendly_;
  CircuitBreaker breaker_;
  Time round_trip_{};
  std::uint64_t ticks_ = 0;
  FrameReport last_{};              // heard of the present SA
  FrameReport judged_{};            // up to where it is judged
  std::uint64_t judged_ticks_ = 0;  // when that was
  std::uint64_t heard_ticks_ = 0;   // when a report was last heard
  ReportSums sums_;
};

}  // namespace penstock
