// What is measured by the clock, at a share or a multiple of the most that all arrives of.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "bench/dataplane/path_rig.hpp"
#include "bench/dataplane/path_row.hpp"

namespace penstock::bench {

inline constexpr std::array clocked_suites{Protection::aes256_ctr_sha256, Protection::aes256_gcm};
inline constexpr double endless = 1e9;  // a second: as many as are taken

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
  const double plateau = site.run(packets, endless, each).per_second;
  for (int fortieths = 40; fortieths > 20; --fortieths) {
    const double rate = plateau * fortieths / 40;
    if (site.run(packets, rate, each).lost == 0) return {rate, true};
  }
  return {plateau / 2, false};
}

// Of one worker that carried so many packets a second.
inline PathRow clocked_row(std::string name, const PathLoad& load, double per_second,
                           const PathMaximum& maximum) {
  double bytes = 0;
  const auto packets = load.packets.make(1);
  for (const auto& packet : packets) bytes += static_cast<double>(packet.size());
  return {.name = std::move(name),
          .suite = load.protection,
          .direction = load.direction,
          .packets = load.packets,
          .workers = 1,
          .sessions = 1,
          .gbit_per_s = per_second * bytes / static_cast<double>(packets.size()) * 8 / 1e9,
          .mpps = per_second / 1e6,
          .caveat = maximum.caveat()};
}

}  // namespace penstock::bench
