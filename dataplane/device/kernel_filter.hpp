// The nftables filter that shuts the kernel's stack off a site's interfaces: one netdev table
// an interface, with a chain for each direction. The table is named by the interface, which is
// locked, and not by the site, whose name another may have. Packet sockets receive before the
// ingress hook; on their way out the egress hook sees them, and knows ours by their mark.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "penstock/base/error.hpp"

namespace penstock::dataplane {

// SO_MARK on all that our packet sockets send. The filter takes it off again.
inline constexpr std::uint32_t packet_mark = 0x70656e73;

struct FilteredInterface {
  std::string name;
  int index = 0;
  bool marks = true;  // what the site sends here carries the mark; else only ingress is dropped
};

enum class EgressHook : bool { absent, present };  // Linux 5.16 brought it

[[nodiscard]] std::string filter_table(const FilteredInterface& interface);

// nft's input: replaces the tables, also those that a killed run left behind.
[[nodiscard]] std::string filter_script(std::span<const FilteredInterface> interfaces,
                                        EgressHook egress);

// Loads the filter, without egress where the kernel lacks the hook (and says so). Empty, or what
// nft complained of when there can be no filter at all.
[[nodiscard]] std::string load_filter(std::span<const FilteredInterface> interfaces);
void remove_filter(std::span<const FilteredInterface> interfaces);

}  // namespace penstock::dataplane
