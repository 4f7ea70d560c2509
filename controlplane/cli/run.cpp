// run: both processes of a site, supervised in the foreground.
#include <array>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <fmt/format.h>

#include "penstock/base/log.hpp"
#include "penstock/config/site_config.hpp"

#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/supervisor.hpp"

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

}  // namespace

int run(const std::filesystem::path& file) {
  const auto config = load_site_config(file);
  if (!config) return refuse(config.error());
  std::vector<Supervisor::Program> programs;
  for (const std::string_view name : {std::string_view{"penstock-dataplane"}, control_plane}) {
    const auto path = find_program(name);
    if (!path) return refuse(path.error());
    programs.push_back({.name = std::string{name},
                        .arguments = {*path, "--config", file.string()},
                        .reads_config_again = name == control_plane});
  }
  log::start("penstock", config->log_level);
  asio::io_context loop;
  Supervisor supervisor{loop, std::move(programs)};
  return supervisor.run();
}

}  // namespace penstock::cli
