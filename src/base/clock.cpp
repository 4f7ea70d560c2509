#include "penstock/base/clock.hpp"

namespace penstock {

Time monotonic_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace penstock
