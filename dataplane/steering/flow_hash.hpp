// Which flow a packet belongs to, as a number: what one worker packs leaves on one lane, and so
// arrives in order.
#pragma once

#include <cstdint>

#include "penstock/base/bytes.hpp"

namespace penstock::dataplane {

// `packet` begins with an Ethernet header; it may be cut anywhere. Behind up to two VLAN tags:
//
//   TCP and UDP     addresses and ports
//   fragments       addresses alone, the first one's too: all of a datagram go one way. So a flow
//                   that sends both whole and fragmented datagrams may see them overtake each other
//   other IP        addresses (ICMP, and IPv6 with extension headers)
//   everything else MAC addresses and ethertype
//
// Of two processes of this program each has numbers of its own.
[[nodiscard]] std::uint32_t flow_hash(Bytes packet);

// Which of so many workers has it; every worker has as much of all hashes.
[[nodiscard]] constexpr unsigned owner_of_flow(std::uint32_t hash, unsigned workers) {
  return static_cast<unsigned>(std::uint64_t{hash} * workers >> 32);
}

}  // namespace penstock::dataplane
