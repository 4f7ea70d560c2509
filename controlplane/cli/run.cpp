// run: the processes of a site, supervised in the foreground.
#include <algorithm>
#include <csignal>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <fmt/format.h>

#include "penstock/base/log.hpp"
#include "penstock/config/site_config.hpp"

#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/pipes.hpp"
#include "controlplane/cli/supervisor.hpp"
#include "controlplane/pipe/service.hpp"

namespace penstock::cli {
namespace {

constexpr std::string_view control_plane = "penstockd";

// Beside this program (a build folder), or where an installation puts it.
Result<std::string> find_program(std::string_view name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto folder = self.parent_path();
  for (const auto& place : {folder / name, folder / "../libexec/penstock" / name}) {
    if (std::filesystem::is_regular_file(place, error)) return place.lexically_normal().string();
  }
  return fail(
      ErrorKind::missing,
      fmt::format("cannot find {} in {} or {}; build or install it there", name, folder.string(),
                  (folder / "../libexec/penstock").lexically_normal().string()));
}

Result<std::vector<Supervisor::Program>> pipes_of(const SiteConfig& config) {
  const auto self = find_program("penstock");
  if (!self) return std::unexpected{self.error()};
  std::vector<Supervisor::Program> programs;
  for (const PipeConfig& pipe : config.pipes) {
    std::vector<std::string> words{*self, "pipe"};
    std::ranges::move(pipe_arguments(pipe), std::back_inserter(words));
    // SIGTERM would let connections end when they like.
    programs.push_back({.name = "pipe " + pipe.name,
                        .arguments = std::move(words),
                        .is_pipe = true,
                        .stop_signal = SIGINT,
                        .refusal = controlplane::pipe::exit_failed});
  }
  return programs;
}

std::optional<std::vector<Supervisor::Program>> read_pipes(const std::filesystem::path& file) {
  const auto config = load_site_config(file);
  auto pipes = config ? pipes_of(*config) : std::unexpected{config.error()};
  if (pipes) return std::move(*pipes);
  log::error(pipes.error().message + "; pipes stay as they are");
  return std::nullopt;
}

}  // namespace

int run(const std::filesystem::path& file) {
  const auto config = load_site_config(file);
  if (!config) return refuse(config.error());
  std::vector<Supervisor::Program> programs;
  if (config->has_links())
    for (const std::string_view name : {std::string_view{"penstock-dataplane"}, control_plane}) {
      const auto path = find_program(name);
      if (!path) return refuse(path.error());
      programs.push_back({.name = std::string{name},
                          .arguments = {*path, "--config", file.string()},
                          .reads_config_again = name == control_plane});
    }
  auto pipes = pipes_of(*config);
  if (!pipes) return refuse(pipes.error());
  std::ranges::move(*pipes, std::back_inserter(programs));
  log::start("penstock", config->log_level);
  asio::io_context loop;
  Supervisor supervisor{loop, std::move(programs)};
  supervisor.read_pipes_again([&file] { return read_pipes(file); });
  return supervisor.run();
}

}  // namespace penstock::cli
