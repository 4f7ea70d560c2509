// What the data plane may still do while packets flow.
#pragma once

#include "penstock/base/confine.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::dataplane {

// Depends on the ports: DPDK's drivers need more than our packet sockets.
[[nodiscard]] Confinement confinement_of(const SiteConfig& config);

}  // namespace penstock::dataplane
