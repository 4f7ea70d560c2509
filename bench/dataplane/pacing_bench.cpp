// How evenly frames leave in constant mode: a real worker on ports in memory, idle, with packets
// to send, and with frames to open at the same rate. What is on time left within 20 % of an
// interval after the frame before.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/dataplane/timed_worker.hpp"

namespace penstock::bench {
namespace {

using nlohmann::ordered_json;

struct Options {
  double seconds = 1;
  std::optional<unsigned> core;
  std::filesystem::path json;
};

struct Case {
  std::uint64_t rate;
  IdleMode idle;
};
constexpr std::array cases{Case{100'000, IdleMode::spin}, Case{10'000, IdleMode::spin},
                           Case{10'000, IdleMode::backoff}, Case{1'000, IdleMode::backoff}};

double microseconds(Time time) { return std::round(static_cast<double>(time.count()) / 10) / 100; }

// Of intervals, how far each is from nominal, the worst last.
std::vector<Time> deviations(const std::vector<Time>& departed, Time nominal) {
  std::vector<Time> all;
  for (std::size_t i = 1; i < departed.size(); ++i) {
    const Time between = departed[i] - departed[i - 1];
    all.push_back(between < nominal ? nominal - between : between - nominal);
  }
  std::ranges::sort(all);
  return all;
}

ordered_json measure(const Load& load) {
  const Rhythm rhythm = keep_rhythm(load);
  const Time nominal{static_cast<Time::rep>(1'000'000'000 / load.rate)};
  // The first frames leave while everything is still cold.
  const std::size_t cold = std::min<std::size_t>(rhythm.departed.size(), load.rate / 100);
  const auto off = deviations(
      {rhythm.departed.begin() + static_cast<std::ptrdiff_t>(cold), rhythm.departed.end()},
      nominal);
  const auto on_time = std::ranges::upper_bound(off, nominal / 5) - off.begin();
  const auto at = [&off](double share) {
    if (off.empty()) return 0.0;
    return microseconds(off[static_cast<std::size_t>(static_cast<double>(off.size() - 1) * share)]);
  };
  return {{"rate", load.rate},
          {"idle", load.idle == IdleMode::spin ? "spin" : "backoff"},
          {"load", load.has_packets && load.has_frames ? "both"
                   : load.has_packets                  ? "packets"
                   : load.has_frames                   ? "frames"
                                                       : "idle"},
          {"frames", rhythm.departed.size()},
          {"on_time_percent", off.empty() ? 0.0
                                          : std::round(1e4 * static_cast<double>(on_time) /
                                                       static_cast<double>(off.size())) /
                                                100},
          {"missed", rhythm.stats.ticks_missed},
          {"p99_us", at(0.99)},
          {"worst_us", at(1)},
          {"cpu_percent", std::round(1000 * rhythm.cpu) / 10}};
}

int run(const Options& options) {
  ordered_json rows;
  std::puts("frames/s  idle     load     on time  missed   99 % within  worst        CPU");
  for (const Case& each : cases) {
    for (const auto& [packets, frames] :
         {std::pair{false, false}, {true, false}, {false, true}, {true, true}}) {
      const auto row = measure({.rate = each.rate,
                                .idle = each.idle,
                                .has_packets = packets,
                                .has_frames = frames,
                                .length = std::chrono::duration_cast<Time>(
                                    std::chrono::duration<double>{options.seconds}),
                                .core = options.core});
      std::puts(fmt::format("{:<9} {:<8} {:<8} {:6.2f} % {:<8} {:8.2f} us {:9.2f} us {:6.1f} %",
                            row["rate"].get<int>(), row["idle"].get<std::string>(),
                            row["load"].get<std::string>(), row["on_time_percent"].get<double>(),
                            row["missed"].get<int>(), row["p99_us"].get<double>(),
                            row["worst_us"].get<double>(), row["cpu_percent"].get<double>())
                    .c_str());
      std::fflush(stdout);
      rows.push_back(row);
    }
  }
  if (!options.json.empty()) std::ofstream{options.json} << rows.dump(2) << "\n";
  return 0;
}

}  // namespace
}  // namespace penstock::bench

int main(int argc, char** argv) {
  penstock::bench::Options options;
  CLI::App app{"How evenly frames leave in constant mode"};
  app.add_option("--seconds", options.seconds, "of each row")->check(CLI::Range(0.2, 60.0));
  app.add_option("--core", options.core, "for the worker alone; else where the kernel puts it");
  app.add_option("--json", options.json, "a file for the result");
  CLI11_PARSE(app, argc, argv);
  return penstock::bench::run(options);
}
