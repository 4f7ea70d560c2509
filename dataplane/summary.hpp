// What a start got, for the log: who runs where, and who sends for whom.
#pragma once

#include <string>
#include <vector>

#include "penstock/config/site_config.hpp"

#include "dataplane/topology.hpp"

namespace penstock::dataplane {

// "3 workers (cores 2, 3, 4); plain: 3 queues; wire: 1 queue, workers 1 and 2 send through worker
// 0", once both ports are open.
[[nodiscard]] std::string summary(const Topology& topology);

// What an operator may not have meant, one sentence each. `cores`: that this process may use.
[[nodiscard]] std::vector<std::string> doubts(const SiteConfig& config, const Topology& topology,
                                              unsigned cores);

}  // namespace penstock::dataplane
