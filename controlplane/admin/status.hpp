// What `status` shows, gathered by the shell, and its JSON. Operators' tools rely on its keys:
// none goes away or changes its meaning. Without a data plane its numbers are null.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "penstock/ipc/messages.hpp"

#include "controlplane/session/link_controller.hpp"

namespace penstock::controlplane {

struct DataplaneView {
  ipc::HelloReply hello;
  ipc::Stats stats;
  std::vector<ipc::SessionInfo> sessions;
  std::vector<ipc::LinkStats> links;  // by their place in the config; those that have figures
  std::vector<ipc::WorkerStats> workers;
};

struct SiteStatus {
  std::string site;
  Time uptime{};  // of penstockd
  Time now = monotonic_now();
  bool lab = false;  // the config allows NULL suites
  std::optional<DataplaneView> dataplane;
  std::string dataplane_reason;   // why there is none
  std::vector<LinkStatus> links;  // in the order of the config
};

[[nodiscard]] nlohmann::json to_json(const SiteStatus& status);

}  // namespace penstock::controlplane
