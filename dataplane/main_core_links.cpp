// What is known of the links that are paced or probed.
#include "dataplane/main_core.hpp"

namespace penstock::dataplane {

std::vector<ipc::LinkStats> MainCore::link_stats() const { return sessions_.link_stats(); }

}  // namespace penstock::dataplane
