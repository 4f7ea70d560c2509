// What `check` writes of how a link's frames are sized, timed and marked.
#pragma once

#include <string>

#include "penstock/config/site_config.hpp"

namespace penstock::cli {

// A line of a link, under its label.
[[nodiscard]] std::string link_line(std::string_view label, std::string_view text);

// Whole lines, of a link that this site sends on so many lanes. Where the config does not say how
// large a frame is, it is taken to be what an MTU of 1500 carries.
[[nodiscard]] std::string frames_text(const LinkConfig& link, unsigned lanes);

}  // namespace penstock::cli
