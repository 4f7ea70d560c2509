// penstockd, the control plane of a site.
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <fmt/format.h>

#include "penstock/base/confine.hpp"
#include "penstock/base/log.hpp"
#include "penstock/config/site_config.hpp"
#include "penstock/keys/secret.hpp"

#include "controlplane/admin/server.hpp"
#include "controlplane/shell/clerk/clerk.hpp"
#include "controlplane/shell/confinement.hpp"
#include "controlplane/shell/site.hpp"

namespace penstock::controlplane {
namespace {

void warn_of_unlocked_memory() {
  if (!secret_memory::usage().is_locked) log::warn(secret_memory::not_locked);
}

// What the clerk answers; the loop runs until then.
template <class T, class Give>
T answer_to(asio::io_context& loop, const Give& give) {
  std::optional<T> answer;
  give([&](T value) { answer.emplace(std::move(value)); });
  while (!answer)
    if (loop.run_one() == 0) loop.restart();
  return std::move(*answer);
}

Result<LoadedSite> load(asio::io_context& loop, Clerk& clerk) {
  return answer_to<Result<LoadedSite>>(loop, [&](auto done) { clerk.load(std::move(done)); });
}

// What needs privilege is opened first; nothing runs yet.
struct Opened {
  SiteConfig config;
  std::unique_ptr<Site> site;
  std::unique_ptr<AdminServer> admin;
};

Result<Opened> open(asio::io_context& loop, Clerk& clerk) {
  auto loaded = load(loop, clerk);
  if (!loaded) return std::unexpected{loaded.error()};
  log::start("penstockd", loaded->config.log_level);
  auto audit =
      answer_to<Result<UniqueFd>>(loop, [&](auto done) { clerk.open_audit_log(std::move(done)); });
  if (!audit) return std::unexpected{audit.error()};
  Opened opened{.config = loaded->config, .site = nullptr, .admin = nullptr};
  opened.site =
      std::make_unique<Site>(loop, std::move(*loaded), clerk, AuditLog{std::move(*audit)});
  const SiteConfig& config = opened.config;
  auto admin = AdminServer::open(loop, config.admin_socket(), config.admin_group, *opened.site);
  if (!admin) return std::unexpected{admin.error()};
  opened.admin = std::move(*admin);
  warn_of_unlocked_memory();
  return opened;
}

// SIGHUP reads the config again, the others stop.
void obey(asio::io_context& loop, asio::signal_set& signals, Site& site) {
  signals.async_wait([&](const std::error_code& error, int number) {
    if (error) return;
    if (number != SIGHUP) return loop.stop();
    site.hang_up();
    obey(loop, signals, site);
  });
}

int refuse(const Error& error) {
  log::error(error.message);
  return exit_refused;
}

int start(const std::filesystem::path& file) {
  log::start("penstockd", log::Level::info);
  // Before there is anything that a child should not have.
  auto process = Clerk::fork(file);
  if (!process) return refuse(process.error());

  // Phase 1: open. The clerk reads files; it is confined itself by the time it reads keys.
  asio::io_context loop;
  asio::signal_set signals{loop, SIGINT, SIGTERM, SIGHUP};
  Clerk clerk{loop, std::move(*process)};
  const auto opened = open(loop, clerk);
  if (!opened) return refuse(opened.error());

  // Phase 2: confine. From here on nothing needs more than the sockets that are open, and
  // connecting to the data plane's.
  if (const auto confined = confine(confinement_of(opened->config)); !confined)
    return refuse(confined.error());

  // Phase 3: run.
  log::info(fmt::format("version {} serves site {}", PENSTOCK_VERSION, opened->config.name));
  obey(loop, signals, *opened->site);
  opened->site->start();
  loop.run();
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
