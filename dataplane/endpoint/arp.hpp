// ARP for Ethernet and IPv4 (RFC 826).
#pragma once

#include <optional>

#include "dataplane/endpoint/packets.hpp"

namespace penstock::dataplane::endpoint {

[[nodiscard]] std::optional<Neighbour> read_arp(Bytes packet, const WireIdentity& self);
[[nodiscard]] Packet answer_arp(const Neighbour& who, const WireIdentity& self);
[[nodiscard]] Packet ask_arp(const IpAddress& address, const WireIdentity& self);

}  // namespace penstock::dataplane::endpoint
