// status and rekey: what an operator asks of a running site.
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

Result<json> ask(const SiteChoice& choice, const json& request) {
  const auto socket = find_admin_socket(choice);
  if (!socket) return std::unexpected{socket.error()};
  return ask_admin(*socket, request);
}

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

}  // namespace

int status(const SiteChoice& choice, bool as_json) {
  const json request{{"method", "status"}};
  const auto first = ask(choice, request);
  if (!first) return refuse(first.error());
  if (as_json) {
    fmt::print("{}\n", first->dump(2));
    return 0;
  }
  std::this_thread::sleep_for(rate_interval);
  const auto second = ask(choice, request);
  if (!second) return refuse(second.error());
  return print_text(*first, *second);
}

int rekey(const SiteChoice& choice, const std::string& peer) {
  const auto done = ask(choice, {{"method", "rekey"}, {"peer", peer}});
  if (!done) return refuse(done.error());
  fmt::print("a new session with {} is being made; `penstock status` shows it\n", peer);
  return 0;
}

}  // namespace penstock::cli
