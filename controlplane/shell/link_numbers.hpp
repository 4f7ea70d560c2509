// The numbers by which penstockd and the data plane know the links: those that living sessions
// have already, and the lowest free ones for the others.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/ipc/messages.hpp"

namespace penstock::controlplane {

[[nodiscard]] std::string_view name_of_peer(const ipc::SessionInfo& session);

// One number for each of the peers, whose names differ.
[[nodiscard]] std::vector<std::uint32_t> number_links(std::span<const std::string> peers,
                                                      std::span<const ipc::SessionInfo> living);

[[nodiscard]] std::uint32_t lowest_free(std::vector<std::uint32_t> taken);

}  // namespace penstock::controlplane
