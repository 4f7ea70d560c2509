// One way of using the engine, measured against all bare ipsec-mb calls that do the same.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "contest.hpp"
#include "engine_ways.hpp"
#include "manager.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "row.hpp"

namespace penstock::bench {

using namespace std::chrono_literals;

inline constexpr std::uint16_t default_frame = 1472;

[[nodiscard]] constexpr FrameShape shape_of(Protection protection,
                                            std::uint16_t frame_bytes = default_frame) {
  return {.size = frame_bytes, .tag = fit_tag(protection, limits::default_tag)};
}

// An engine and the managers that it may use, and no others: a capped pair stands for the
// CPU that has no more.
struct Rig {
  explicit Rig(const EngineOptions& options)
      : engine(options), managers(bench::managers(options)) {}
  Engine engine;
  std::vector<Manager> managers;
};

struct Trial {
  std::string name;
  Protection protection = Protection::aes256_ctr_sha256;
  Direction direction = Direction::seal;
  std::uint16_t frame_bytes = default_frame;
  std::size_t batch = 32;
  std::size_t sas = 1;
  std::chrono::milliseconds budget = 1s;
};

// First makes sure that engine and bare calls compute the same bytes.
[[nodiscard]] Row run_trial(const Trial& trial, Rig& rig);

// What a row says of `way`, without ratios.
[[nodiscard]] Row measured(const Contest& contest, std::size_t way, const Trial& trial);

}  // namespace penstock::bench
