// The address of a host's name, by whatever the machine asks for names.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "penstock/base/address.hpp"

namespace penstock::controlplane::clerk {

inline constexpr std::chrono::seconds lookup_bound{10};

// Waits for at most about `bound`. Empty: there is no such name, or nobody told in time. The
// library's way cannot be interrupted, and loads code that may do anything: so a child does it,
// which is ended when its time is over, and whose death harms nobody.
[[nodiscard]] std::optional<IpAddress> look_up(const std::string& host, IpVersion version,
                                               std::chrono::seconds bound = lookup_bound);

}  // namespace penstock::controlplane::clerk
