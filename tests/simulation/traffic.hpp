// Packets for the plain ports, each of which says what it is and can be made again to compare.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "penstock/base/bytes.hpp"

namespace penstock::simulation {

struct PacketName {
  std::uint8_t site = 0;  // that sent it
  std::uint8_t flow = 0;
  std::uint64_t number = 0;  // within the flow, from 0
};
inline constexpr std::size_t flow_count = 4;

// The same name gives the same packet: 64 to 1514 bytes.
[[nodiscard]] std::vector<std::byte> make_packet(std::uint64_t seed, const PacketName& name);
// What a packet says it is; empty where it says nothing.
[[nodiscard]] std::optional<PacketName> read_name(Bytes packet);
// Whether bytes of a plain packet stand in these.
[[nodiscard]] bool has_plain_bytes(Bytes bytes);

}  // namespace penstock::simulation
