// How often R checks a signature for one who has only proved that it holds the shared key.
#pragma once

#include <algorithm>

#include "penstock/base/clock.hpp"
#include "penstock/base/limits.hpp"

namespace penstock::controlplane {

// limits::signature_checks at once, and as many a second.
class SignatureBudget {
 public:
  [[nodiscard]] bool take(Time now) {
    spent_until_ = std::max(spent_until_, now - window);
    if (now - spent_until_ < price) return false;
    spent_until_ += price;
    return true;
  }

 private:
  static constexpr Time window = std::chrono::seconds{1};
  static constexpr Time price = window / limits::signature_checks;

  Time spent_until_ = Time::min();
};

}  // namespace penstock::controlplane
