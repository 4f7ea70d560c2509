// What `status` shows of how a link's frames are timed and packed, from the data plane's figures.
#pragma once

#include <nlohmann/json.hpp>

#include "penstock/ipc/messages.hpp"

namespace penstock::controlplane {

// `stats` and `session` (the current one) may be null. Each is null where there is nothing to
// tell: no session, no rate, no probes.
[[nodiscard]] nlohmann::json shaping_json(const ipc::LinkStats* stats,
                                          const ipc::SessionInfo* session);
[[nodiscard]] nlohmann::json queues_json(const ipc::LinkStats* stats);
[[nodiscard]] nlohmann::json path_json(const ipc::LinkStats* stats);

// Of all links.
[[nodiscard]] nlohmann::json packing_json(const Counters& counters);

}  // namespace penstock::controlplane
