// What the clerk reads of a site: its config's text, and the keys that the config names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/error.hpp"
#include "penstock/config/site_config.hpp"
#include "penstock/crypto/identity.hpp"
#include "penstock/crypto/key_schedule.hpp"

#include "controlplane/shell/clerk/orders.hpp"

namespace penstock::controlplane::clerk {

struct KeysOfLink {
  crypto::FileKey key;
  crypto::FileKey old_key;  // zeros unless it is accepted
  OldKey old = OldKey::none;
};

struct SiteText {
  std::string text;
  SiteConfig config;
};

[[nodiscard]] Result<SiteText> read_site(const std::filesystem::path& file);

// Refused when one cannot be had, when a link's two are the same, when key_file holds one that was
// retired, and when an old one could not be retired.
[[nodiscard]] Result<std::vector<KeysOfLink>> read_keys(const SiteConfig& config,
                                                        const std::filesystem::path& state_dir);

// Empty when the config names no file for it.
[[nodiscard]] Result<std::optional<crypto::IdentityKey>> read_identity(const SiteConfig& config);

// Takes the keys that the config has for this link off the list of those that were retired;
// refused when none of them is on it.
[[nodiscard]] Result<void> restore_keys(const SiteConfig& config,
                                        const std::filesystem::path& state_dir,
                                        std::string_view peer);

}  // namespace penstock::controlplane::clerk
