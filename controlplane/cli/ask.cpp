// status, topology, rekey, reload: what an operator asks of a running site.
#include <unistd.h>

#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "controlplane/cli/admin_client.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/status_text.hpp"

namespace penstock::cli {
namespace {

using nlohmann::json;

// Rates are taken between two looks this far apart.
constexpr std::chrono::milliseconds rate_interval{500};

// An answer that lacks what this build expects comes from another build.
int print_text(const json& before, const json& now) {
  try {
    fmt::print("{}", status_text(before, now, ::isatty(STDOUT_FILENO) == 1));
    return 0;
  } catch (const json::exception&) {
    return refuse({ErrorKind::protocol,
                   "the running site is of another version; use its own penstock command"});
  }
}

void print_peers(std::string_view what, const json& peers) {
  for (const json& peer : peers) fmt::print("{} the link to {}\n", what, peer.get<std::string>());
}

}  // namespace

int status(const SiteChoice& choice, bool as_json) {
  const json request{{"method", "status"}};
  const auto first = ask_site(choice, request);
  if (!first) return refuse(first.error());
  if (as_json) {
    fmt::print("{}\n", first->dump(2));
    return 0;
  }
  std::this_thread::sleep_for(rate_interval);
  const auto second = ask_site(choice, request);
  if (!second) return refuse(second.error());
  return print_text(*first, *second);
}

int topology(const SiteChoice& choice) {
  const auto told = ask_site(choice, {{"method", "topology"}});
  if (!told) return refuse(told.error());
  fmt::print("{}", told->at("text").get<std::string>());
  return 0;
}

int rekey(const SiteChoice& choice, const std::string& peer) {
  const auto done = ask_site(choice, {{"method", "rekey"}, {"peer", peer}});
  if (!done) return refuse(done.error());
  fmt::print("a new session with {} is being made; `penstock status` shows it\n", peer);
  return 0;
}

int reload(const SiteChoice& choice) {
  const auto report = ask_site(choice, {{"method", "reload"}});
  if (!report) return refuse(report.error());
  print_peers("added", report->at("added"));
  print_peers("changed", report->at("changed"));
  print_peers("removed", report->at("removed"));
  const auto untouched = report->at("untouched").get<std::size_t>();
  fmt::print("left {} link{} as {}\n", untouched, untouched == 1 ? "" : "s",
             untouched == 1 ? "it was" : "they were");
  return 0;
}

}  // namespace penstock::cli
