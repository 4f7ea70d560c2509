// What is read of packets from the plain port so that some go before others, and the one thing
// that is written into them: congestion. Hosts inside made them, so nothing in them is believed
// but their length: what is cut, malformed or unknown is `normal` and not ECN-capable.
// Sources: RFC 2474 (DSCP), 4594 and 8325 (what the values are for), 8622 (LE), 3168 (ECN),
// IEEE 802.1Q annex I (priorities).
#pragma once

#include <cstdint>

#include "penstock/base/bytes.hpp"
#include "penstock/base/shape.hpp"
#include "penstock/wire/block.hpp"

namespace penstock {

// voice   EF, VOICE-ADMIT, CS5, CS6, CS7
// video   AF41..43, AF31..33, CS4, CS3
// bulk    CS1, LE
// normal  all others
[[nodiscard]] PacketClass class_of_dscp(std::uint8_t dscp);  // below 64

// voice   5 (voice), 6 and 7 (control of the network)
// video   4 (video), 3 (critical applications)
// bulk    1 (background)
// normal  0 (best effort), 2 (excellent effort)
[[nodiscard]] PacketClass class_of_priority(std::uint8_t priority);  // below 8

// In what follows `packet` begins with an Ethernet header; VLAN tags are looked through.

// The DSCP of its IP header; 0 without one.
[[nodiscard]] std::uint8_t dscp_in(Bytes packet);
// By its DSCP. ARP and IPv6 neighbour discovery are `voice`: without them no call goes on, and
// hosts do not mark them.
[[nodiscard]] PacketClass class_by_dscp(Bytes packet);
// By the priority (802.1Q PCP) in its outermost tag. Without a tag `normal`. A caller whose port
// took the tag out asks class_of_tag.
[[nodiscard]] PacketClass class_by_priority(Bytes packet);
[[nodiscard]] inline PacketClass class_of_tag(std::uint16_t tci) {
  return class_of_priority(static_cast<std::uint8_t>(tci >> 13));
}

// Marks the packet in a block of any kind CE where its IP header says that its ends understand
// that. A packet whose segmentation is still to do has one IP header, which all its segments get.
// True: it is marked, by us or before. False: there is no such header, and nothing was changed.
[[nodiscard]] bool mark_ce(BlockKind kind, MutableBytes block);

}  // namespace penstock
