// The nftables filter that shuts the kernel's stack off a site's interfaces: one netdev table
// a site, with a chain for each interface and direction. Packet sockets receive before the
// ingress hook; on their way out the egress hook sees them, and knows ours by their mark.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "penstock/base/error.hpp"

namespace penstock::dataplane {

// SO_MARK on all that our packet sockets send. The filter takes it off again.
inline constexpr std::uint32_t packet_mark = 0x70656e73;

struct FilteredInterface {
  std::string name;
  bool marks = true;  // what the site sends here carries the mark; else only ingress is dropped
};

enum class EgressHook : bool { absent, present };  // Linux 5.16 brought it

[[nodiscard]] std::string filter_table(std::string_view site);

// nft's input: replaces the table, also one that a killed run left behind.
[[nodiscard]] std::string filter_script(const std::string& table,
                                        std::span<const FilteredInterface> interfaces,
                                        EgressHook egress);

// Loads the filter, without egress where the kernel lacks the hook (and says so). False, and a
// line in the log, when there can be no filter at all.
[[nodiscard]] bool load_filter(const std::string& table,
                               std::span<const FilteredInterface> interfaces);
void remove_filter(const std::string& table);

}  // namespace penstock::dataplane
