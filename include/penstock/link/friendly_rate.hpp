// What rate a TCP would have over the same path: the throughput equation of TFRC (RFC 5348) fed by
// what the far side reports, as RFC 9347 section 2.4.2 has it. The sender's variant of RFC 5348
// section 7: the receiver counts loss events, the history of loss intervals is here. Pure, on
// virtual time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "penstock/base/clock.hpp"

namespace penstock {

// RFC 5348 section 3.1 in frames per second, for one frame per acknowledgement (b = 1) and
// t_RTO = 4 R; `loss` is the loss event rate, over 0 and at most 1. `round_trip` over 0.
[[nodiscard]] double friendly_frames(double loss, double round_trip_seconds);

// The average loss interval, RFC 5348 sections 5.4 and 5.5.
class LossIntervals {
 public:
  // Since the last call: frames that the far side may have received, and loss events among them.
  // `first` stands for the interval before the first event of all (RFC 5348 section 6.3.1).
  void add(std::uint64_t frames, std::uint64_t events, std::uint64_t first);
  // The loss event rate; 0: no event yet.
  [[nodiscard]] double loss() const;
  [[nodiscard]] bool is_empty() const { return count_ == 0; }

 private:
  static constexpr std::size_t depth = 8;
  void close(double interval);

  double open_ = 0;                     // since the last event
  std::array<double, depth> closed_{};  // the newest first
  std::size_t count_ = 0;
};

class FriendlyRate {
 public:
  // In frames per 1000 seconds, least <= most. Starts at the most.
  void set_limits(std::uint64_t least, std::uint64_t most);
  // A report: frames, and loss events among them (a CE mark is one; RFC 5348 section 5.1).
  void hear(std::uint64_t frames, std::uint64_t events, Time round_trip, Time now);
  // Without reports the rate is halved, again and again (RFC 5348 section 4.3).
  void expire(Time round_trip, Time now);
  // Frames begin to leave.
  void begin(Time now) { patient_since_ = now; }

  [[nodiscard]] std::uint64_t rate() const { return rate_; }

 private:
  [[nodiscard]] std::uint64_t first_interval(double round_trip_seconds) const;

  std::uint64_t least_ = 0;
  std::uint64_t most_ = 0;
  std::uint64_t rate_ = 0;
  Time patient_since_{};
  LossIntervals intervals_;
};

}  // namespace penstock
