// Neighbour discovery for IPv6 (RFC 4861): what ARP is for IPv4.
#pragma once

#include <optional>

#include "dataplane/endpoint/packets.hpp"

namespace penstock::dataplane::endpoint {

[[nodiscard]] std::optional<Neighbour> read_discovery(Bytes packet, const WireIdentity& self);
[[nodiscard]] Packet answer_discovery(const Neighbour& who, const WireIdentity& self);
[[nodiscard]] Packet ask_discovery(const IpAddress& address, const WireIdentity& self);

// The ICMPv6 checksum of a whole packet (Ethernet header first) whose field is zero, or 0 when
// the field holds the right one already.
[[nodiscard]] std::uint16_t icmpv6_checksum(Bytes packet);

}  // namespace penstock::dataplane::endpoint
