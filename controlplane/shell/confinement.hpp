// What penstockd may still do once it runs.
#pragma once

#include "penstock/base/confine.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::controlplane {

[[nodiscard]] Confinement confinement_of(const SiteConfig& config);

}  // namespace penstock::controlplane
