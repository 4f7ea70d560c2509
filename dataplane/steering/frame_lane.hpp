// Which lane a packet from the wire came on, by its first bytes. What it says is not believed: the
// worker that gets it looks the SPI up.
#pragma once

#include <cstdint>
#include <optional>

#include "penstock/base/bytes.hpp"

namespace penstock::dataplane {

// `packet` begins with an Ethernet header; it may be cut anywhere. Empty: it is no data frame to
// this UDP port (ARP, a handshake message, a path probe, a fragment), or it came behind a VLAN tag
// or an IPv6 extension header; whoever received it deals with it.
[[nodiscard]] std::optional<unsigned> frame_lane(Bytes packet, std::uint16_t udp_port);

}  // namespace penstock::dataplane
