// penstock-dataplane: the process that touches every packet and no long-term key.
// Three phases: open what needs privilege, confine, run.
#include <getopt.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "penstock/base/confine.hpp"
#include "penstock/base/log.hpp"

#include "dataplane/confinement.hpp"
#include "dataplane/isa.hpp"
#include "dataplane/opened.hpp"
#include "dataplane/running.hpp"
#include "dataplane/steering/steering.hpp"
#include "dataplane/summary.hpp"
#include "dataplane/topology.hpp"

namespace penstock::dataplane {
namespace {

// It ran, and could not go on; a new start may.
constexpr int exit_ended = 1;

// --- the command line ---------------------------------------------------------------------

struct Options {
  std::string config;
  std::optional<Isa> isa;
  bool show_topology = false;
};

constexpr std::string_view usage =
    "usage: penstock-dataplane --config SITE.toml [--isa v2|v4] [--show-topology]";

Result<Options> read_options(int argc, char** argv) {
  constexpr std::array known{option{"config", required_argument, nullptr, 'c'},
                             option{"isa", required_argument, nullptr, 'i'},
                             option{"show-topology", no_argument, nullptr, 't'}, option{}};
  Options options;
  for (int c = 0; (c = getopt_long(argc, argv, "", known.data(), nullptr)) != -1;) {
    if (c == 't') options.show_topology = true;
    if (c == 'c') options.config = optarg;
    if (c == 'i') options.isa = parse_isa(optarg);
    if (c == '?' || (c == 'i' && !options.isa)) return fail(ErrorKind::config, std::string{usage});
  }
  if (optind != argc || options.config.empty()) return fail(ErrorKind::config, std::string{usage});
  return options;
}

// Which code seals, and why, for every protection that a link may use.
void log_crypto(const EnginePlan& crypto, const SiteConfig& config) {
  log::info(fmt::format("seals with {}", crypto.describe()));
  std::set<Protection> listed;
  for (const LinkConfig& link : config.links)
    for (const Suite suite : link.suites) listed.insert(suite.protection);
  if (crypto.is_slow())
    log::warn(fmt::format("slow_crypto: this CPU seals many times slower than one with AES-NI{}",
                          listed.contains(Protection::chacha20_poly1305)
                              ? ""
                              : "; CHACHA20_POLY1305 is the fastest protection here"));
  for (const Protection protection : listed)
    log::info(fmt::format("{}: {}", to_string(protection), crypto.describe(protection)));
}

// SIGTERM, SIGINT and SIGHUP as a descriptor; blocked before the first thread starts.
UniqueFd take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return UniqueFd{signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)};
}

QueuePlan queue_plan(const Port& port, PortSide side, std::size_t workers) {
  return {.queues = port.queue_count(),
          .is_meshed = !serves_all(port, side, static_cast<unsigned>(workers))};
}

// The exit code; an error where the start was refused.
Result<int> start(int argc, char** argv) {
  const auto options = read_options(argc, argv);
  if (!options) return std::unexpected{options.error()};
  if (!switch_isa(options->isa, argv))
    return fail(ErrorKind::missing,
                "x86-64-v4 is not to be had here: leave --isa out, or say --isa v2");
  const auto config = load_site_config(options->config);
  if (!config) return std::unexpected{config.error()};
  if (!config->has_links()) return std::unexpected{only_pipes(*config)};
  log::start("penstock-dataplane", config->log_level);
  auto topology = plan_topology(*config);
  if (!topology) return std::unexpected{topology.error()};
  if (options->show_topology) {
    std::fputs(to_string(*topology).c_str(), stdout);
    return 0;
  }
  const auto crypto = EnginePlan::measure({.allow_slow = config->slow_crypto});
  if (!crypto) return std::unexpected{crypto.error()};
  log_crypto(*crypto, *config);
  // The main core's; and with it OpenSSL reads its files, which nobody may once confined.
  const auto engine = FrameEngine::create(*crypto);
  if (!engine) return std::unexpected{engine.error()};
  const UniqueFd signals = take_signals();

  // Open what needs privilege, confine, run.
  const unsigned cores = allowed_core_count();
  auto opened = open_all(*config, *topology);
  if (!opened) return std::unexpected{opened.error()};
  // An ethdev says its MTU only now.
  topology->max_frame_size =
      std::min(topology->max_frame_size,
               max_frame_size(opened->wire->info().mtu, config->wire.address.address.version));
  topology->plain_queues = queue_plan(*opened->plain, PortSide::plain, topology->workers.size());
  topology->wire_queues = queue_plan(*opened->wire, PortSide::wire, topology->workers.size());
  log::info(summary(*topology));
  for (const std::string& doubt : doubts(*config, *topology, cores)) log::warn(doubt);
  if (auto confined = confine(confinement_of(*config)); !confined)
    return std::unexpected{confined.error()};
  const auto ended = run(*config, *topology, *opened, *crypto, *engine, signals.get());
  std::error_code ignored;
  std::filesystem::remove(config->dataplane_socket(), ignored);
  if (ended) return 0;
  log::error(ended.error().message);
  return exit_ended;
}

}  // namespace
}  // namespace penstock::dataplane

int main(int argc, char** argv) {
  penstock::log::start("penstock-dataplane", penstock::log::Level::info);
  const auto result = penstock::dataplane::start(argc, argv);
  if (result) return *result;
  penstock::log::error(result.error().message);
  return penstock::exit_refused;
}
