// How a batch of equal frames is best cut between hash managers: so many for one, so many for
// another. A manager with L lanes takes the same time for 1 to L frames; one that hashes frames
// two at a time takes its time for every pair. Pure: measured costs in, cuts out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace penstock {

class HashPlan {
 public:
  static constexpr std::size_t max_managers = 3;
  static constexpr std::size_t most_lanes = 16;  // that a manager has
  static constexpr std::size_t max_frames = 64;

  // What one call costs, by the number of frames in it; of any unit. [0] is unused.
  using Costs = std::array<double, most_lanes + 1>;
  // How many frames of a batch each manager hashes, all of its own in one call.
  using Cut = std::array<std::uint8_t, max_managers>;

  HashPlan() = default;
  // One table of costs a manager, at most max_managers, at least one.
  explicit HashPlan(std::span<const Costs> managers);

  [[nodiscard]] const Cut& cut(std::size_t frames) const { return cuts_[frames]; }
  [[nodiscard]] double cost(std::size_t frames) const { return costs_[frames]; }

 private:
  std::array<Cut, max_frames + 1> cuts_{};
  std::array<double, max_frames + 1> costs_{};
};

}  // namespace penstock
