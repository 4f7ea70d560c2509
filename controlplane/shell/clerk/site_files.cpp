#include "controlplane/shell/clerk/site_files.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/crypto/identity_file.hpp"
#include "penstock/keys/key_file.hpp"

#include "controlplane/shell/clerk/retired_keys.hpp"

namespace penstock::controlplane::clerk {
namespace {

// K; the file's own bytes are wiped when this returns.
Result<crypto::FileKey> read_key(const std::filesystem::path& file) {
  const auto bytes = read_key_file(file);
  if (!bytes) return std::unexpected{bytes.error()};
  return crypto::derive_file_key(bytes->reveal());
}

Result<void> read_old_key(const LinkConfig& link, const RetiredKeys& retired, KeysOfLink& keys) {
  auto old = read_key(*link.old_key_file);
  if (!old) return std::unexpected{old.error()};
  const crypto::KeyFingerprint name = crypto::fingerprint(*old);
  if (name == crypto::fingerprint(keys.key)) {
    return fail(ErrorKind::key, fmt::format("{} and {} hold the same key: make a new one with "
                                            "penstock genkey, or take old_key_file out",
                                            link.key_file.string(), link.old_key_file->string()));
  }
  keys.old = OldKey::retired;
  if (retired.has(name)) return {};
  keys.old = OldKey::accepted;
  keys.old_key = std::move(*old);
  return {};
}

Result<KeysOfLink> read_keys_of(const LinkConfig& link, const std::filesystem::path& state_dir) {
  auto key = read_key(link.key_file);
  if (!key) return std::unexpected{key.error()};
  const auto retired = RetiredKeys::read(state_dir, link.peer);
  if (!retired) return std::unexpected{retired.error()};
  if (retired->has(crypto::fingerprint(*key))) {
    return fail(ErrorKind::key,
                fmt::format("the key in {} was retired on the link to {}: name the one that "
                            "followed it, or say `penstock key restore {}` to accept it again (of "
                            "a site that is stopped, remove its line from {})",
                            link.key_file.string(), link.peer, link.peer,
                            (state_dir / (link.peer + ".retired")).string()));
  }
  KeysOfLink keys{.key = std::move(*key), .old_key = {}};
  if (link.old_key_file) {
    if (auto read = read_old_key(link, *retired, keys); !read) return std::unexpected{read.error()};
  }
  return keys;
}

}  // namespace

Result<SiteText> read_site(const std::filesystem::path& file) {
  auto text = read_site_text(file);
  if (!text) return std::unexpected{text.error()};
  auto config = parse_site_config(file, *text);
  if (!config) return std::unexpected{config.error()};
  if (!config->has_links()) return std::unexpected{only_pipes(*config)};
  return SiteText{.text = std::move(*text), .config = std::move(*config)};
}

Result<std::vector<KeysOfLink>> read_keys(const SiteConfig& config,
                                          const std::filesystem::path& state_dir) {
  std::vector<KeysOfLink> all;
  for (const LinkConfig& link : config.links) {
    auto keys = read_keys_of(link, state_dir);
    if (!keys) return std::unexpected{keys.error()};
    all.push_back(std::move(*keys));
  }
  const auto is_to_be_retired = [](const KeysOfLink& keys) { return keys.old == OldKey::accepted; };
  if (std::ranges::any_of(all, is_to_be_retired)) {
    if (auto probed = probe_state_dir(state_dir); !probed) return std::unexpected{probed.error()};
  }
  return all;
}

Result<std::optional<crypto::IdentityKey>> read_identity(const SiteConfig& config) {
  if (!config.identity_file) return std::nullopt;
  auto identity = crypto::read_identity_file(*config.identity_file);
  if (!identity) return std::unexpected{identity.error()};
  return std::move(*identity);
}

Result<void> restore_keys(const SiteConfig& config, const std::filesystem::path& state_dir,
                          std::string_view peer) {
  const auto link = std::ranges::find(config.links, peer, &LinkConfig::peer);
  if (link == config.links.end()) {
    return fail(ErrorKind::missing,
                fmt::format("{} has no link to a peer named \"{}\"", config.file.string(), peer));
  }
  std::vector<crypto::KeyFingerprint> names;
  for (const auto& file : {std::optional{link->key_file}, link->old_key_file}) {
    if (!file) continue;
    const auto key = read_key(*file);
    if (!key) return std::unexpected{key.error()};
    names.push_back(crypto::fingerprint(*key));
  }
  auto retired = RetiredKeys::read(state_dir, peer);
  if (!retired) return std::unexpected{retired.error()};
  const auto count = retired->remove(names);
  if (!count) return std::unexpected{count.error()};
  if (*count == 0) {
    return fail(
        ErrorKind::missing,
        fmt::format("none of the keys that the config has for the link to {} was retired{}", peer,
                    link->old_key_file ? ""
                                       : "; to accept the old one again, name "
                                         "its file in old_key_file"));
  }
  return {};
}

}  // namespace penstock::controlplane::clerk
