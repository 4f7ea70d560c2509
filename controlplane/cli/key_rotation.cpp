// key rotate, key restore: the change of a link's long-term key, without an outage.
#include <algorithm>
#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "penstock/config/site_config.hpp"

#include "controlplane/cli/admin_client.hpp"
#include "controlplane/cli/commands.hpp"
#include "controlplane/cli/rotation_text.hpp"

namespace penstock::cli {
namespace {

using nlohmann::json;

// A name that was not there before.
std::filesystem::path name_of_next(const std::filesystem::path& key_file) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  const std::string stem = fmt::format("{}-{:04}{:02}{:02}", key_file.stem().string(),
                                       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
  std::error_code ignored;
  for (int more = 1;; ++more) {
    const std::string name = more == 1 ? stem : fmt::format("{}-{}", stem, more);
    auto file = key_file.parent_path() / (name + ".key");
    if (!std::filesystem::exists(file, ignored)) return file;
  }
}

// What there is to know without a config is in the defaults.
Result<RotationFiles> files_of(const SiteChoice& choice, const std::string& peer) {
  RotationFiles files;
  if (choice.file.empty()) return files;
  // What is printed goes into that file, and its names count from its folder.
  const auto config = load_site_config(std::filesystem::absolute(choice.file));
  if (!config) return std::unexpected{config.error()};
  files.config = choice.file;
  const auto link = std::ranges::find(config->links, peer, &LinkConfig::peer);
  if (link == config->links.end()) return files;
  files.key_file = link->key_file;
  files.new_key_file = name_of_next(link->key_file);
  return files;
}

}  // namespace

int rotate_key(const SiteChoice& choice, const std::string& peer) {
  const auto files = files_of(choice, peer);
  if (!files) return refuse(files.error());
  const auto status = ask_site(choice, {{"method", "status"}});
  if (!status) return refuse(status.error());
  try {
    for (const json& link : status->at("links")) {
      if (link.at("peer") != peer) continue;
      fmt::print("{}", rotation_text(link, *files));
      return 0;
    }
  } catch (const json::exception&) {
    return refuse({ErrorKind::protocol,
                   "the running site is of another version; use its own penstock command"});
  }
  return refuse({ErrorKind::missing, fmt::format("there is no link to a peer named \"{}\"", peer)});
}

int restore_key(const SiteChoice& choice, const std::string& peer) {
  const auto done = ask_site(choice, {{"method", "restore_key"}, {"peer", peer}});
  if (!done) return refuse(done.error());
  fmt::print("the keys that the config has for the link to {} are all accepted again\n", peer);
  return 0;
}

}  // namespace penstock::cli
