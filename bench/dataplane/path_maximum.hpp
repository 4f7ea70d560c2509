// The most that all arrives of, for what is measured at a share or a multiple of it.
#pragma once

#include <chrono>
#include <string>

#include "bench/dataplane/path_rig.hpp"

namespace penstock::bench {

struct PathMaximum {
  double per_second = 0;
  bool is_lossless = false;

  [[nodiscard]] std::string caveat() const {
    return is_lossless ? std::string{}
                       : "no share of the plateau was without loss; half of it is taken instead";
  }
};

// On a machine that is shared no rate without loss may be found near what it carries; then it is
// the half of that, and says so. `site.run(packets, per_second, length)` tells what was `lost`.
PathMaximum find_maximum(auto& site, const PacketMix& packets, std::chrono::milliseconds each) {
  const double plateau = site.run(packets, 1e9, each).per_second;
  for (int fortieths = 40; fortieths > 20; --fortieths) {
    const double rate = plateau * fortieths / 40;
    if (site.run(packets, rate, each).lost == 0) return {rate, true};
  }
  return {plateau / 2, false};
}

}  // namespace penstock::bench
