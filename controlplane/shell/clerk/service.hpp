// The clerk itself, as it runs in its own process.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "penstock/base/confine.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::controlplane::clerk {

// Serves orders, one at a time, until the other end is gone or `parent` has died. The first order
// that loads the site decides for good where it may write: then it confines itself.
[[noreturn]] void serve(UniqueFd socket, pid_t parent, std::filesystem::path config_file);

[[nodiscard]] Confinement confinement_of(const SiteConfig& config);

}  // namespace penstock::controlplane::clerk
