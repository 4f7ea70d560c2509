// What of a site's config only a restart can change: all but its links and its identity.
#pragma once

#include <string>

#include "penstock/config/site_config.hpp"

namespace penstock::controlplane {

// The keys in which two configs of a site differ, as "site.workers, ports.wire.device"; empty when
// a reload will do.
[[nodiscard]] std::string needs_a_restart(const SiteConfig& a, const SiteConfig& b);

}  // namespace penstock::controlplane
