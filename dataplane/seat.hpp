// A worker's place among the workers of its site, and what follows from it by arithmetic.
#pragma once

#include <cstddef>

namespace penstock::dataplane {

// Lanes that the site sends on are as many as its workers, one each. The far side has as many as
// it likes: each of them is received by one worker here, which keeps its window and its order.
struct Seat {
  unsigned index = 0;
  unsigned count = 1;  // workers of the site, 1..limits::max_lanes

  [[nodiscard]] static constexpr unsigned owner_of(std::size_t lane, unsigned workers) {
    return static_cast<unsigned>(lane) % workers;
  }
  [[nodiscard]] constexpr bool receives(std::size_t lane) const {
    return owner_of(lane, count) == index;
  }
};

}  // namespace penstock::dataplane
