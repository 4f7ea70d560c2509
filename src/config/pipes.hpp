// The [[pipe]] tables of a site's file.
#pragma once

#include "penstock/config/site_config.hpp"
#include "reader.hpp"

namespace penstock::config {

void read_pipes(Refusals& refusals, const Section& root, SiteConfig& config);

}  // namespace penstock::config
