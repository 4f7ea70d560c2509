// How large the Ethernet packet around a frame is, as a link's rate in bits counts it: with its
// outer headers, without preamble, checksum and the gap behind it (24 bytes more on the wire).
#pragma once

#include "penstock/wire/outer.hpp"

namespace penstock {

[[nodiscard]] constexpr std::size_t packet_bytes(IpVersion version, std::size_t frame_size) {
  const std::size_t ip_header = version == IpVersion::v4 ? ipv4_header : ipv6_header;
  return ethernet_header + ip_header + udp_header + frame_size;
}

}  // namespace penstock
