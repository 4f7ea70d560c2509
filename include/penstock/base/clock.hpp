// Time. Code that decides takes the time as an argument and never reads a clock,
// so that the same code runs on virtual time in simulation.
#pragma once

#include <chrono>

namespace penstock {

// Since an arbitrary start, never going backwards (CLOCK_MONOTONIC, or virtual).
using Time = std::chrono::nanoseconds;

[[nodiscard]] Time monotonic_now();

}  // namespace penstock
