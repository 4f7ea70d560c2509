// Asks a running site: one line of JSON to its admin socket, one line back.
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "penstock/base/error.hpp"

#include "controlplane/cli/commands.hpp"

namespace penstock::cli {

// The admin socket of the site that was chosen; without a choice, of the only site that
// runs under `default_run_dir`.
[[nodiscard]] Result<std::filesystem::path> find_admin_socket(
    const SiteChoice& choice, const std::filesystem::path& default_run_dir = "/run/penstock");

// The "result" of the answer. Gives up when the site does not answer in time.
[[nodiscard]] Result<nlohmann::json> ask_admin(const std::filesystem::path& socket,
                                               const nlohmann::json& request);

// The same, of the site that was chosen.
[[nodiscard]] Result<nlohmann::json> ask_site(const SiteChoice& choice,
                                              const nlohmann::json& request);

}  // namespace penstock::cli
