// One worker on a core of its own, between two ports in memory, with one link in constant mode.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "penstock/base/clock.hpp"
#include "penstock/config/site_config.hpp"
#include "penstock/ipc/messages.hpp"

namespace penstock::bench {

struct Load {
  std::uint64_t rate = 0;  // frames a second, and of what comes
  IdleMode idle{};
  bool has_packets = false;  // from the plain port, one a tick
  bool has_frames = false;   // from the far side, likewise
  Time length{};
  std::optional<unsigned> core;
};

struct Rhythm {
  std::vector<Time> departed;  // when frames left, in order
  ipc::LinkStats stats;
  double cpu = 0;  // of the worker's thread, of one core
};

[[nodiscard]] Rhythm keep_rhythm(const Load& load);

}  // namespace penstock::bench
