// Packets for the tests of this folder, built field by field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "penstock/base/bytes.hpp"
#include "penstock/wire/outer.hpp"

namespace penstock::test {

using Packet = std::vector<std::byte>;

void append(Packet& packet, Bytes bytes);
void append(Packet& packet, std::initializer_list<unsigned> bytes);
void append_be16(Packet& packet, std::size_t value);

// MAC addresses, `tags` (TPIDs, outermost first) and the ethertype.
[[nodiscard]] Packet ethernet(std::uint16_t ethertype,
                              std::initializer_list<std::uint16_t> tags = {});

// Headers without options for `length` bytes behind them; then whole datagrams.
void append_ipv4(Packet& packet, std::uint8_t protocol, std::size_t length);
void append_ipv6(Packet& packet, std::uint8_t next, std::size_t length);
void append_tcp(Packet& packet, std::size_t payload, std::size_t options = 0,
                std::uint8_t flags = 0x10);
void append_udp(Packet& packet, std::size_t payload);

[[nodiscard]] Packet tcp4(std::size_t payload, std::uint8_t flags = 0x10);
[[nodiscard]] Packet tcp6(std::size_t payload);
[[nodiscard]] Packet udp4(std::size_t payload);
[[nodiscard]] Packet udp6(std::size_t payload);

}  // namespace penstock::test
