// The data plane while packets flow: workers on their lcores, and the main core.
#pragma once

#include "penstock/base/error.hpp"
#include "penstock/config/site_config.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "penstock/crypto/frame_engine.hpp"

#include "dataplane/opened.hpp"
#include "dataplane/topology.hpp"

namespace penstock::dataplane {

// `engine` is for what the main core derives from keys. Until a signal arrives at `signal_fd`; then
// every worker has ended.
[[nodiscard]] Result<void> run(const SiteConfig& config, const Topology& topology, Opened& opened,
                               const EnginePlan& crypto, const FrameEngine& engine, int signal_fd);

}  // namespace penstock::dataplane
