// The [[link]] tables of a site's file.
#pragma once

#include <string_view>

#include "penstock/config/site_config.hpp"
#include "reader.hpp"

namespace penstock::config {

inline constexpr std::string_view a_name =
    "a site's name: at most 63 letters, digits, '-', '_' and '.', beginning with a letter or digit";

// After [site] and [ports], with which links are compared.
void read_links(Refusals& refusals, const Section& root, SiteConfig& config);

}  // namespace penstock::config
