// The whole data plane worker against its limit: the bare engine on the same frames. The bench
// brings packets and takes frames in the worker's own thread, without a kernel; docs/performance.md
// says how it measures.
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <regex>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/dataplane/path_rates.hpp"
#include "penstock/base/error.hpp"

#include "dataplane/isa.hpp"

namespace penstock::bench {
namespace {

struct Options {
  double seconds = 2;
  unsigned workers = 0;
  std::string only;
  std::filesystem::path json;
  bool lists = false;
};

unsigned cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

// A trial's rows begin with its name.
std::vector<PathTrial> wanted(const Options& options) {
  std::vector<PathTrial> all;
  add_rates(all);
  add_sessions(all);
  add_workers(all, options.workers);
  add_latency(all);
  add_overload(all);
  const std::regex only{options.only};
  std::erase_if(all, [&](const PathTrial& trial) { return !std::regex_search(trial.name, only); });
  return all;
}

std::string heading(const Lab& lab) {
  return fmt::format(
      "{}; packet path for {}; {}\n"
      "Frames of {} bytes. One worker in its thread with ports in memory: packets are brought by "
      "pointer from a set that\nstays in the second-level cache, as from a NIC with DDIO; what "
      "these ports cost alone (ports_cycles, a frame) is\nsubtracted. Gbit/s and Mpps are of "
      "packets, cycles of the time stamp counter. To seal: frames a second over those of\nthe "
      "bare engine (seal; open for decap), same suite, frame and batches, taking turns; medians.\n",
      lab.plan().describe(), dataplane::name(dataplane::built_for()), lab.memory(), path_frame);
}

int run(Options options) {
  if (options.workers == 0) options.workers = std::min(cores(), limits::max_lanes);
  const auto trials = wanted(options);
  if (options.lists) {
    for (const PathTrial& trial : trials) std::puts(trial.name.c_str());
    return 0;
  }
  if (trials.empty()) {
    std::fputs("no measurement has such a name\n", stderr);
    return exit_refused;
  }
  Lab lab{options.workers};
  PathTable table;
  table.heading(heading(lab));
  const auto budget = std::chrono::milliseconds{static_cast<long>(options.seconds * 1000)};
  for (const PathTrial& trial : trials)
    for (const PathRow& row : trial.run(lab, budget)) table.add(row);
  if (!options.json.empty()) table.write(options.json);
  return 0;
}

}  // namespace
}  // namespace penstock::bench

int main(int argc, char** argv) {
  if (!penstock::dataplane::switch_isa(std::nullopt, argv)) return penstock::exit_refused;
  penstock::bench::Options options;
  CLI::App app{"The whole path of packets against the bare engine"};
  app.add_option("--seconds", options.seconds, "about, of each row")->check(CLI::Range(0.05, 60.0));
  app.add_option("--workers", options.workers, "side by side; default: as many as there are cores")
      ->check(CLI::Range(1U, penstock::limits::max_lanes));
  app.add_option("--only", options.only, "a regular expression: names that match somewhere");
  app.add_flag("--list", options.lists, "only names what would be measured");
  app.add_option("--json", options.json, "a file for the rows");
  CLI11_PARSE(app, argc, argv);
  return penstock::bench::run(options);
}
