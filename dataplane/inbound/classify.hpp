// What a packet from the wire is to this site, by its addresses and headers alone.
#pragma once

#include <cstdint>

#include "penstock/base/address.hpp"
#include "penstock/base/bytes.hpp"

#include "dataplane/wire_identity.hpp"

namespace penstock::dataplane::inbound {

enum class WireKind : std::uint8_t {
  frame,          // a UDP datagram for us that is no handshake; `payload` claims to be a frame
  handshake,      // one of the four messages, by its first byte
  probe,          // a UDP datagram for us whose first byte is a path probe's
  neighbour,      // ARP, neighbour solicitation or advertisement that concerns our address
  echo,           // ping for our address
  foreign,        // anything else: dropped
  bad_handshake,  // begins like one, and has another length, version or header
  malformed,
  fragment,
};

struct WirePacket {
  WireKind kind{};
  Bytes payload{};    // of frame and probe: within the packet
  Endpoint source{};  // of handshake and probe
};

[[nodiscard]] WirePacket classify(Bytes packet, const WireIdentity& self);

}  // namespace penstock::dataplane::inbound
