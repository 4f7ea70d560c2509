#include "hash_plan.hpp"

#include "penstock/base/check.hpp"

namespace penstock {

// A batch is a call of some frames by one manager, and the best cut of the rest.
HashPlan::HashPlan(std::span<const Costs> managers) {
  check(!managers.empty() && managers.size() <= max_managers, "1 to max_managers tables of costs");
  for (std::size_t frames = 1; frames <= max_frames; ++frames) {
    for (std::size_t manager = 0; manager < managers.size(); ++manager) {
      // Large calls first: of two that cost the same, the one that leaves less to call for.
      for (std::size_t called = frames; called > 0; --called) {
        const double cost = managers[manager][called] + costs_[frames - called];
        if (costs_[frames] != 0 && cost >= costs_[frames]) continue;
        costs_[frames] = cost;
        cuts_[frames] = cuts_[frames - called];
        cuts_[frames][manager] = static_cast<std::uint8_t>(cuts_[frames][manager] + called);
      }
    }
  }
}

}  // namespace penstock
