#include "hash_plan.hpp"

#include <limits>

#include "penstock/base/check.hpp"

namespace penstock {

// A batch is a call of some frames by one manager, and the best cut of the rest. Beyond what
// was measured, full lanes come first.
HashPlan::HashPlan(std::span<const Costs> managers) {
  check(!managers.empty() && managers.size() <= max_managers, "1 to max_managers tables of costs");
  for (std::size_t frames = 1; frames <= most_lanes; ++frames) {
    costs_[frames] = std::numeric_limits<double>::max();
    for (std::size_t manager = 0; manager < managers.size(); ++manager) {
      // Large calls first: of two that cost the same, the one that leaves less to call for.
      for (std::size_t called = frames; called > 0; --called) {
        const double cost = managers[manager][called] + costs_[frames - called];
        if (cost >= costs_[frames]) continue;
        costs_[frames] = cost;
        cuts_[frames] = cuts_[frames - called];
        cuts_[frames][manager] = static_cast<std::uint8_t>(cuts_[frames][manager] + called);
      }
    }
  }
  for (std::size_t frames = most_lanes + 1; frames <= max_frames; ++frames) {
    costs_[frames] = costs_[frames - most_lanes] + costs_[most_lanes];
    for (std::size_t manager = 0; manager < managers.size(); ++manager)
      cuts_[frames][manager] = static_cast<std::uint8_t>(cuts_[frames - most_lanes][manager] +
                                                         cuts_[most_lanes][manager]);
  }
}

}  // namespace penstock
