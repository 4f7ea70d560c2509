// How often a worker bothers the main core.
#pragma once

#include "penstock/base/clock.hpp"

namespace penstock::dataplane {

// So many at once, and so many a second: a token bucket.
class PuntRate {
 public:
  constexpr PuntRate(unsigned burst, unsigned per_second)
      : interval_(std::chrono::nanoseconds{std::chrono::seconds{1}} / per_second),
        depth_(interval_ * burst) {}
  [[nodiscard]] bool allow(Time now) {
    if (full_at_ < now) full_at_ = now;
    if (full_at_ + interval_ > now + depth_) return false;
    full_at_ += interval_;
    return true;
  }

 private:
  Time interval_;
  Time depth_;
  Time full_at_{};  // when the bucket will be full again
};

}  // namespace penstock::dataplane
