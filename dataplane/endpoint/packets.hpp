// The few packets that the main core answers or makes itself: ARP (RFC 826), neighbour
// discovery (RFC 4861) and echo (RFC 792, RFC 4443). Bytes in, bytes out.
#pragma once

#include <optional>
#include <vector>

#include "penstock/base/address.hpp"
#include "penstock/base/bytes.hpp"

#include "dataplane/wire_identity.hpp"

namespace penstock::dataplane::endpoint {

using Packet = std::vector<std::byte>;

// What an ARP packet, a solicitation or an advertisement says.
struct Neighbour {
  IpAddress address;
  MacAddress mac;
  bool asks_for_us = false;  // wants our MAC address: send answer_neighbour()
};

// No station has a group address: whoever claims one would have us send to everybody.
[[nodiscard]] inline bool is_group(const MacAddress& mac) {
  return (load_u8(mac.bytes.data()) & 1) != 0;
}

// Empty: it does not concern us, or breaks its rules.
[[nodiscard]] std::optional<Neighbour> read_neighbour(Bytes packet, const WireIdentity& self);
[[nodiscard]] Packet answer_neighbour(const Neighbour& who, const WireIdentity& self);
// "Who has `address`?" to everybody (ARP) or to its solicited-node group (RFC 4291, 2.7.1).
[[nodiscard]] Packet ask_neighbour(const IpAddress& address, const WireIdentity& self);

// The reply to an echo request for us. Empty: it is none, or broken.
[[nodiscard]] std::optional<Packet> answer_echo(Bytes packet, const WireIdentity& self);

}  // namespace penstock::dataplane::endpoint
