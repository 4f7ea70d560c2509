// Many links in one penstockd: how long until all are up, and what it takes. Everything of
// penstockd is real; its data plane and the far sides of its links are in this process, so the
// machine does their half of the handshakes in the same time.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/controlplane/shell/hub_door.hpp"
#include "bench/controlplane/shell/hub_process.hpp"
#include "penstock/base/error.hpp"

namespace penstock::bench {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::size_t links = 1000;
  double within = 120;  // seconds
  std::filesystem::path penstockd;
  std::filesystem::path json;
};

constexpr unsigned statuses = 20;

double seconds(Time time) { return std::chrono::duration<double>(time).count(); }

double rounded(double value) { return std::round(value * 100) / 100; }

// Serves the door until this holds, or until the deadline: false.
bool serve_until(HubDoor& door, Time deadline, const std::function<bool()>& holds) {
  while (!holds()) {
    if (monotonic_now() > deadline) return false;
    door.turn();
  }
  return true;
}

// Some answers to `status`, while the door is served: penstockd asks its data plane for each.
std::vector<Answer> ask(HubDoor& door, const HubFiles& files, unsigned times) {
  std::vector<Answer> answers;
  std::atomic<bool> is_done = false;
  std::jthread asker{[&] {
    for (unsigned i = 0; i < times; ++i) answers.push_back(ask_status(files.admin_socket()));
    is_done = true;
  }};
  while (!is_done) door.turn();
  return answers;
}

std::size_t count_up(const Answer& answer) {
  const auto json = nlohmann::json::parse(answer.line, nullptr, false);
  if (!json.is_object() || !json.value("ok", false)) return 0;
  const auto& links = json["result"]["links"];
  return static_cast<std::size_t>(
      std::ranges::count_if(links, [](const auto& link) { return link["state"] == "up"; }));
}

double median_ms(std::vector<Answer> answers) {
  std::ranges::sort(answers, {}, &Answer::milliseconds);
  return answers[answers.size() / 2].milliseconds;
}

std::string tail_of_log(const HubFiles& files) {
  std::ifstream file{files.log()};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  return text.substr(text.size() - std::min<std::size_t>(text.size(), 2000));
}

std::optional<ordered_json> measure(const Options& options) {
  const HubFiles files{options.links};
  HubDoor door{files.dataplane_socket(), files.keys()};
  const Time began = monotonic_now();
  const Time deadline =
      began + std::chrono::duration_cast<Time>(std::chrono::duration<double>{options.within});
  const HubProcess hub{options.penstockd, files};
  const bool is_current =
      serve_until(door, deadline, [&] { return door.current() == options.links; });
  std::size_t up = 0;
  while (is_current && up < options.links && monotonic_now() < deadline)
    up = count_up(ask(door, files, 1).front());
  if (up < options.links) {
    std::fputs(fmt::format("{} of {} links have a session, {} are up after {} s; the end of "
                           "penstockd's log:\n{}\n",
                           door.current(), options.links, up, options.within, tail_of_log(files))
                   .c_str(),
               stderr);
    return std::nullopt;
  }
  const double to_up = seconds(monotonic_now() - began);
  const double cpu = hub.cpu_seconds();
  const double status_ms = median_ms(ask(door, files, statuses));
  const double status_cpu = hub.cpu_seconds() - cpu;
  return ordered_json{{"name", "links"},
                      {"links", options.links},
                      {"seconds_to_up", rounded(to_up)},
                      {"seconds_to_connect", rounded(seconds(*door.connected_at() - began))},
                      {"rss_mb", rounded(hub.resident_megabytes())},
                      {"status_ms", rounded(status_ms)},
                      {"status_cpu_ms", rounded(1e3 * status_cpu / statuses)},
                      {"cpu_ms_per_link", rounded(1e3 * cpu / static_cast<double>(options.links))},
                      {"sessions_installed", door.installs()},
                      {"connections", door.connections()}};
}

int run(const Options& options) {
  const auto result = measure(options);
  if (!result) return exit_refused;
  const std::string text = result->dump(2) + "\n";
  std::fputs(text.c_str(), stdout);
  if (!options.json.empty()) std::ofstream{options.json} << text;
  return 0;
}

}  // namespace
}  // namespace penstock::bench

int main(int argc, char** argv) {
  penstock::bench::Options options;
  CLI::App app{"Many links in one penstockd"};
  app.add_option("--links", options.links, "how many")
      ->check(CLI::Range(1U, penstock::limits::max_links));
  app.add_option("--within", options.within, "seconds until all must be up");
  app.add_option("--penstockd", options.penstockd, "the program")->required();
  app.add_option("--json", options.json, "a file for the result");
  CLI11_PARSE(app, argc, argv);
  return penstock::bench::run(options);
}
