// genkey and check: what an operator does before a site runs.
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "penstock/config/site_config.hpp"
#include "penstock/crypto/identity_file.hpp"
#include "penstock/keys/key_file.hpp"

#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/link_text.hpp"
#include "controlplane/cli/pipes.hpp"

namespace penstock::cli {
namespace {

std::string describe(const PortConfig& port) {
  return (port.kind == PortConfig::Kind::af_packet ? "af_packet:" : "ethdev:") + port.device;
}

std::string describe_workers(const SiteConfig& config) {
  if (config.worker_cores.empty()) return fmt::format("{}, floating", config.worker_count);
  std::string cores;
  for (const unsigned core : config.worker_cores) {
    cores += (cores.empty() ? "" : ", ") + std::to_string(core);
  }
  return fmt::format("{}, on core{} {}", config.worker_count, config.worker_count == 1 ? "" : "s",
                     cores);
}

void describe_ports(const SiteConfig& config) {
  fmt::print("workers   {}\n", describe_workers(config));
  fmt::print("plain     {}\n", describe(config.plain));
  fmt::print("wire      {} as {}, UDP port {}{}\n", describe(config.wire.port),
             to_string(config.wire.address), config.wire.udp_port,
             config.wire.gateway ? ", gateway " + to_string(*config.wire.gateway) : "");
}

std::string describe(Suite suite, const LinkConfig& link) {
  if (suite.protection == Protection::none) {
    return to_string(suite) + ": NOTHING is encrypted or authenticated";
  }
  return fmt::format("{}, tag {} (at least {})", to_string(suite),
                     fit_tag(suite.protection, link.tag), fit_tag(suite.protection, link.min_tag));
}

void describe(const LinkConfig& link, unsigned lanes, std::size_t key_size) {
  fmt::print("link      to {} at {}\n", link.peer, to_string(link.endpoint));
  fmt::print("{}",
             link_line("key", fmt::format("{} ({} bytes)", link.key_file.string(), key_size)));
  if (link.peer_identity)
    fmt::print("{}", link_line("peer", "proves to be " + to_text(*link.peer_identity)));
  std::string_view label = "suites";
  for (const Suite suite : link.suites)
    fmt::print("{}", link_line(std::exchange(label, ""), describe(suite, link)));
  fmt::print("{}", frames_text(link, lanes));
}

Error pins_itself(const LinkConfig& link) {
  return {ErrorKind::config,
          fmt::format("the link to {} has this site's own identity as its peer_identity; give the "
                      "line that penstock identity show prints there",
                      link.peer)};
}

}  // namespace

int genkey(const std::filesystem::path& file) {
  if (const auto made = generate_key_file(file); !made) return refuse(made.error());
  fmt::print("wrote {}; carry it to the far site over a safe path, and keep its mode 0600\n",
             file.string());
  return 0;
}

int check(const std::filesystem::path& file) {
  const auto config = load_site_config(file);
  if (!config) return refuse(config.error());
  fmt::print("site      {}\n", config->name);
  if (config->has_links()) describe_ports(*config);
  if (config->lab) fmt::print("lab       yes: suites that protect nothing are allowed\n");
  if (config->slow_crypto) fmt::print("CPU       may lack AES instructions (slow_crypto)\n");
  if (config->identity_file) {
    const auto identity = crypto::read_identity_file(*config->identity_file);
    if (!identity) return refuse(identity.error());
    fmt::print("identity  {}\n", to_text(identity->public_key()));
    for (const LinkConfig& link : config->links)
      if (link.peer_identity == identity->public_key()) return refuse(pins_itself(link));
  }
  for (const LinkConfig& link : config->links) {
    const auto key = read_key_file(link.key_file);
    if (!key) return refuse(key.error());
    describe(link, config->worker_count, key->reveal().size());
  }
  for (const PipeConfig& pipe : config->pipes) {
    const auto text = check_pipe(pipe);
    if (!text) return refuse(text.error());
    fmt::print("{}", *text);
  }
  fmt::print("{} is good\n", file.string());
  return 0;
}

}  // namespace penstock::cli
