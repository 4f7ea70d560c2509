// What an install says of the rhythm of a session's frames.
#pragma once

#include <array>
#include <cstdint>

#include "penstock/base/shape.hpp"

namespace penstock::ipc {

// How the frames of a session are timed and marked. Rates are in frames per 1000 seconds.
struct Shaping {
  std::array<std::uint64_t, Shape::max_steps> rates{};  // ascending; 0: no limit (burst alone)
  std::uint64_t least_rate = 0;                         // adapts: never below
  std::uint64_t dwell_ns = 0;                           // quantized
  std::uint64_t queue_ns = 0;                           // how long a packet may wait
  ShapeMode mode{};
  std::uint8_t steps = 1;  // of `rates`
  std::uint8_t adapts = 0;
  std::uint8_t ecn = 0;
  PriorityBy priority{};
  std::uint8_t dscp = 0;
  std::uint8_t copies_dscp = 0;
  std::uint8_t finds_mtu = 0;  // path_frame events are wanted

  // Frames wait for a tick; else they leave when there is something to say.
  [[nodiscard]] bool is_paced() const { return rates[0] != 0; }
};

}  // namespace penstock::ipc
