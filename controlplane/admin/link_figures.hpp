// What `status` shows of how a link's frames are timed and packed, from the data plane's figures.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "penstock/ipc/messages.hpp"

namespace penstock::controlplane {

// `stats` and `session` (the current one) may be null. Each is null where there is nothing to
// tell: no session, no rate, no probes. `stop` is why the circuit breaker keeps frames back,
// `steps` how many the config has.
[[nodiscard]] nlohmann::json shaping_json(const ipc::LinkStats* stats,
                                          const ipc::SessionInfo* session,
                                          std::string_view stop = {}, std::size_t steps = 0);
[[nodiscard]] nlohmann::json queues_json(const ipc::LinkStats* stats);
[[nodiscard]] nlohmann::json path_json(const ipc::LinkStats* stats);

// Of all links.
[[nodiscard]] nlohmann::json packing_json(const Counters& counters);

}  // namespace penstock::controlplane
