// The keys of a [[link]] that say how its frames are timed, sized and marked: shape, priority,
// mtu, dscp and ecn.
#pragma once

#include "penstock/config/site_config.hpp"
#include "reader.hpp"

namespace penstock::config {

// After the link's other keys, with which these are compared.
void read_shaping(const Section& link, LinkConfig& config);

}  // namespace penstock::config
