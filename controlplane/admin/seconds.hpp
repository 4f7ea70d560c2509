// Times as the status gives them.
#pragma once

#include <chrono>
#include <cstdint>

#include "penstock/base/clock.hpp"

namespace penstock::controlplane {

[[nodiscard]] inline double seconds(Time time) {
  return std::chrono::duration<double>(time).count();
}
[[nodiscard]] inline double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

}  // namespace penstock::controlplane
