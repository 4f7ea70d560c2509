// Every single way of sealing or opening with bare ipsec-mb calls, to compare with.
#pragma once

#include <cstddef>
#include <vector>

#include "contest.hpp"
#include "manager.hpp"
#include "penstock/base/suite.hpp"

namespace penstock::bench {

// CTR and HMAC suites, for each manager "<manager>-passes" and "<manager>-chained"; first those
// of the library's own choice. AEAD suites "<manager>-direct", "-jobs", "-burst" of that
// choice. NULL: none.
[[nodiscard]] std::vector<Way> raw_ways(const std::vector<Manager>& managers, Protection protection,
                                        FrameShape shape, Direction direction, std::size_t batch);

}  // namespace penstock::bench
