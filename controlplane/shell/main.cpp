// penstockd, the control plane of a site.
#include <csignal>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <fmt/format.h>

#include "penstock/base/confine.hpp"
#include "penstock/base/log.hpp"
#include "penstock/config/site_config.hpp"
#include "penstock/crypto/identity_file.hpp"
#include "penstock/crypto/key_schedule.hpp"
#include "penstock/keys/key_file.hpp"

#include "controlplane/admin/server.hpp"
#include "controlplane/shell/confinement.hpp"
#include "controlplane/shell/site.hpp"

namespace penstock::controlplane {
namespace {

// K of every link; the key files themselves are wiped when this returns.
Result<std::vector<crypto::FileKey>> read_file_keys(const SiteConfig& config) {
  std::vector<crypto::FileKey> keys;
  for (const LinkConfig& link : config.links) {
    const auto bytes = read_key_file(link.key_file);
    if (!bytes) return std::unexpected{bytes.error()};
    keys.push_back(crypto::derive_file_key(bytes->reveal()));
  }
  return keys;
}

// Null where the site has none.
Result<std::shared_ptr<const crypto::IdentityKey>> read_identity(const SiteConfig& config) {
  if (!config.identity_file) return nullptr;
  auto key = crypto::read_identity_file(*config.identity_file);
  if (!key) return std::unexpected{key.error()};
  return std::make_shared<const crypto::IdentityKey>(std::move(*key));
}

void warn_of_unlocked_memory() {
  if (!secret_memory::usage().is_locked) log::warn(secret_memory::not_locked);
}

// What needs privilege is opened first; nothing runs yet.
struct Opened {
  std::unique_ptr<Site> site;
  std::unique_ptr<AdminServer> admin;
};

Result<Opened> open(asio::io_context& loop, const SiteConfig& config) {
  auto keys = read_file_keys(config);
  if (!keys) return std::unexpected{keys.error()};
  auto identity = read_identity(config);
  if (!identity) return std::unexpected{identity.error()};
  auto site = std::make_unique<Site>(loop, config, std::move(*keys), std::move(*identity));
  auto admin = AdminServer::open(loop, config.admin_socket(), *site);
  if (!admin) return std::unexpected{admin.error()};
  warn_of_unlocked_memory();
  return Opened{.site = std::move(site), .admin = std::move(*admin)};
}

void run(asio::io_context& loop, asio::signal_set& signals, Site& site) {
  signals.async_wait([&loop](const std::error_code&, int number) {
    if (number == SIGHUP) log::info("stopping on SIGHUP; a changed config is read by a restart");
    loop.stop();
  });
  site.start();
  loop.run();
}

int start(const std::filesystem::path& file) {
  log::start("penstockd", log::Level::info);
  const auto config = load_site_config(file);
  if (!config) {
    log::error(config.error().message);
    return exit_refused;
  }
  log::start("penstockd", config->log_level);

  // Phase 1: open.
  asio::io_context loop;
  asio::signal_set signals{loop, SIGINT, SIGTERM, SIGHUP};
  const auto opened = open(loop, *config);
  if (!opened) {
    log::error(opened.error().message);
    return exit_refused;
  }
  // Phase 2: confine. Before this only key files were read; from here on nothing needs more
  // than the sockets that are open, and connecting to the data plane's.
  if (const auto confined = confine(confinement_of(*config)); !confined) {
    log::error(confined.error().message);
    return exit_refused;
  }

  // Phase 3: run.
  log::info(fmt::format("version {} serves site {}", PENSTOCK_VERSION, config->name));
  run(loop, signals, *opened->site);
  log::info("stopped");
  return 0;
}

}  // namespace
}  // namespace penstock::controlplane

int main(int argc, char** argv) {
  CLI::App app{"penstockd, the control plane of a Penstock site"};
  std::filesystem::path config;
  app.add_option("--config", config, "the site's file")->required();
  app.set_version_flag("--version", "penstockd " PENSTOCK_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : penstock::exit_refused;
  }
  return penstock::controlplane::start(config);
}
