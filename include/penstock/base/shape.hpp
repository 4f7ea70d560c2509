// How the frames of a link are timed (traffic-flow confidentiality; RFC 9347 is the idea), as the
// config says it. What it hides and what it does not: docs/protocol.md, "Shaping".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "penstock/base/clock.hpp"

namespace penstock {

// The numbers are the handshake's: both sites of a link have the same mode.
enum class ShapeMode : std::uint8_t {
  burst = 0,      // a frame leaves when there is something to say
  constant = 1,   // one frame a tick, whatever happens
  quantized = 2,  // the same, at a rate that moves slowly between a few steps
};
inline constexpr std::size_t shape_modes = 3;

// As the config writes it.
[[nodiscard]] constexpr std::string_view to_string(ShapeMode mode) {
  switch (mode) {
    case ShapeMode::burst:
      return "burst";
    case ShapeMode::constant:
      return "constant";
    case ShapeMode::quantized:
      return "quantized";
  }
  return "unknown";
}

// Of frames. A rate in bits counts whole Ethernet packets as the wire carries them: outer headers
// and frame, without preamble and checksum.
struct Rate {
  enum class Unit : std::uint8_t { bits, frames };
  std::uint64_t per_second = 0;
  Unit unit = Unit::bits;

  bool operator==(const Rate&) const = default;
  // In frames per 1000 seconds, the unit in which the data plane has rates; never 0.
  [[nodiscard]] constexpr std::uint64_t frames(std::size_t packet_bytes) const {
    const std::uint64_t bits = unit == Unit::bits ? packet_bytes * 8 : 1;
    const std::uint64_t frames = per_second / bits * 1000 + per_second % bits * 1000 / bits;
    return frames == 0 ? 1 : frames;
  }
};

struct Shape {
  static constexpr std::size_t max_steps = 8;

  ShapeMode mode = ShapeMode::burst;
  std::optional<Rate> rate;   // constant: always there; burst: never faster than this
  std::vector<Rate> steps;    // quantized: 2 to max_steps, ascending
  Time dwell{};               // quantized: how long a step lasts at least
  bool adapt = false;         // not burst: congestion that the far side reports lowers the rate
  std::optional<Rate> least;  // adapt: never below
  Time queue{};               // with a rate: how long a packet may wait at most
  bool operator==(const Shape&) const = default;
  // Frames wait for a tick; else they leave when there is something to say.
  [[nodiscard]] bool is_paced() const { return rate.has_value() || mode != ShapeMode::burst; }
};

// By what packets of a link with a rate are told apart, so that some go before others.
enum class PriorityBy : std::uint8_t { none = 0, dscp = 1, vlan = 2 };

// Classes of packets, the most urgent first.
enum class PacketClass : std::uint8_t { voice, video, normal, bulk };
inline constexpr std::size_t packet_classes = 4;

}  // namespace penstock
