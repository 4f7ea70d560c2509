// A NAT before a site, that takes the site's UDP port for another of its own, and forgets it at
// times; and the ports of packets, for it and for whoever forges them.
#pragma once

#include <cstdint>
#include <vector>

#include "penstock/base/bytes.hpp"

namespace penstock::simulation {

enum class PortField : std::uint8_t { source = 0, destination = 2 };

// 0 where the packet is no UDP.
[[nodiscard]] std::uint16_t port_of(Bytes packet, PortField field);
// Of a UDP packet; mends its checksum.
void set_port(MutableBytes packet, PortField field, std::uint16_t port);

struct Nat {
  std::uint16_t inside = 0;   // the site's own port, which it also passes on from outside
  std::uint16_t outside = 0;  // 0: there is no NAT

  void leaves(MutableBytes packet) const;
  // False: for a port that it does not know, any more.
  [[nodiscard]] bool arrives(MutableBytes packet) const;
};

}  // namespace penstock::simulation
