// How a batch of equal frames is best cut between hash managers: so many for one, so many for
// another, each in one call. A manager with L lanes takes the same time for 1 to L frames; one that
// hashes frames two at a time takes its time for every pair. Pure: measured costs in, cuts out.
//
// A cut of fewer managers, and of those that stand first, is kept until another costs 2 % less:
// otherwise the noise of a measurement would choose between two names of the same code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "penstock/crypto/engine_plan.hpp"

namespace penstock {

class HashPlan {
 public:
  static constexpr std::size_t max_managers = 3;
  static constexpr std::size_t most_lanes = 16;  // that a manager has

  static constexpr double clearly_less = 0.98;

  // What one call costs, by the number of frames in it; of any unit. [0] is unused.
  using Costs = std::array<double, most_lanes + 1>;
  // How many frames of a batch each manager hashes.
  using Cut = std::array<std::uint8_t, max_managers>;

  HashPlan() = default;
  // One table of costs a manager, at most max_managers, at least one.
  explicit HashPlan(std::span<const Costs> managers);

  [[nodiscard]] const Cut& cut(std::size_t frames) const { return cuts_[frames]; }
  [[nodiscard]] double cost(std::size_t frames) const { return costs_[frames]; }

 private:
  void choose(std::size_t frames, std::span<const Costs> managers);

  std::array<Cut, max_batch + 1> cuts_{};
  std::array<double, max_batch + 1> costs_{};
};

}  // namespace penstock
