#include "hash_plan.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

using Cut = HashPlan::Cut;

// Calls `each` with every cut of `frames` between the managers, those of few managers first.
template <class Each>
void for_each_cut(std::size_t frames, std::size_t managers, Each each) {
  for (std::size_t used = 1; used <= managers; ++used) {
    for (std::size_t first = frames + 1; first-- > 0;) {
      for (std::size_t second = frames - first + 1; second-- > 0;) {
        const Cut cut{static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(second),
                      static_cast<std::uint8_t>(frames - first - second)};
        const auto beyond = std::span{cut}.subspan(managers);
        if (std::ranges::count(cut, 0) == static_cast<std::ptrdiff_t>(cut.size() - used) &&
            std::ranges::all_of(beyond, [](std::uint8_t count) { return count == 0; }))
          each(cut);
      }
    }
  }
}

double cost_of(const Cut& cut, std::span<const HashPlan::Costs> managers) {
  double cost = 0;
  for (std::size_t manager = 0; manager < managers.size(); ++manager)
    if (cut[manager] != 0) cost += managers[manager][cut[manager]];
  return cost;
}

}  // namespace

HashPlan::HashPlan(std::span<const Costs> managers) {
  check(!managers.empty() && managers.size() <= max_managers, "1 to max_managers tables of costs");
  for (std::size_t frames = 1; frames <= most_lanes; ++frames) choose(frames, managers);
  // Beyond what was measured, full lanes come first.
  for (std::size_t frames = most_lanes + 1; frames <= max_batch; ++frames) {
    costs_[frames] = costs_[frames - most_lanes] + costs_[most_lanes];
    for (std::size_t manager = 0; manager < managers.size(); ++manager)
      cuts_[frames][manager] = static_cast<std::uint8_t>(cuts_[frames - most_lanes][manager] +
                                                         cuts_[most_lanes][manager]);
  }
}

void HashPlan::choose(std::size_t frames, std::span<const Costs> managers) {
  for_each_cut(frames, managers.size(), [&](const Cut& cut) {
    const double cost = cost_of(cut, managers);
    if (costs_[frames] != 0 && cost >= costs_[frames] * clearly_less) return;
    costs_[frames] = cost;
    cuts_[frames] = cut;
  });
}

}  // namespace penstock
