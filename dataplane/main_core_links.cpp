// What is known of the links that are paced or probed.
#include <algorithm>

#include "dataplane/main_core.hpp"

namespace penstock::dataplane {

std::vector<ipc::LinkStats> MainCore::link_stats() const {
  std::vector<ipc::LinkStats> all = sessions_.link_stats();
  for (const std::uint32_t link : prober_.links()) {
    auto found = std::ranges::find(all, link, &ipc::LinkStats::link);
    if (found == all.end()) found = all.insert(all.end(), ipc::LinkStats{.link = link});
    static_cast<void>(prober_.fill(link, *found));
  }
  return all;
}

}  // namespace penstock::dataplane
