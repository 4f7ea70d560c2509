// The measurements of scripts/bench path, each of which yields rows.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "bench/dataplane/path_row.hpp"

namespace penstock::bench {

struct PathTrial {
  std::string name;
  std::function<std::vector<PathRow>(Lab& lab, std::chrono::milliseconds budget)> run;
};

// encap, decap/SUITE/PACKETS: throughput of one worker, and its ratio to the bare engine.
void add_rates(std::vector<PathTrial>& trials);
// sessions/DIRECTION/SUITE: what a frame costs with 1, 100 and 10,000 of them.
void add_sessions(std::vector<PathTrial>& trials);
// workers/DIRECTION/SUITE: one against so many.
void add_workers(std::vector<PathTrial>& trials, unsigned workers);
// latency/SUITE: through two workers, at parts of what they carry.
void add_latency(std::vector<PathTrial>& trials);
// overload/SUITE: more than a worker can carry.
void add_overload(std::vector<PathTrial>& trials);

}  // namespace penstock::bench
