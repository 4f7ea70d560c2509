// The address of a host's name, by whatever the machine asks for names.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "penstock/base/address.hpp"
#include "penstock/base/error.hpp"

namespace penstock::controlplane::clerk {

inline constexpr std::chrono::seconds lookup_bound{10};

// Waits for at most about `bound`. Empty: there is no such name, or nobody told in time. The
// library's way cannot be interrupted, and loads code that may do anything with what strangers
// answer: so a child does it, which is ended when its time is over, whose death harms nobody, and
// which has neither the clerk's rights nor its `channel` to penstockd.
[[nodiscard]] std::optional<IpAddress> look_up(const std::string& host, IpVersion version,
                                               int channel,
                                               std::chrono::seconds bound = lookup_bound);

// Of the calling process, which has one thread: no capability, and no file but those by which
// names are asked.
[[nodiscard]] Result<void> keep_to_names();

}  // namespace penstock::controlplane::clerk
