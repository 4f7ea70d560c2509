// What a packet from the wire is to this site, by its addresses and headers alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "penstock/base/address.hpp"
#include "penstock/base/bytes.hpp"
#include "penstock/wire/frame.hpp"
#include "penstock/wire/outer.hpp"

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

// A data frame over IPv4 without options or a UDP checksum, as sites send it: what nearly
// everything is, seen at once. Empty: classify() it.
[[nodiscard]] inline Bytes plain_frame(Bytes packet, const WireIdentity& self) {
  constexpr std::size_t ip = ethernet_header;
  constexpr std::size_t udp = ip + ipv4_header;
  constexpr std::size_t payload = udp + udp_header;
  const IpAddress& address = self.endpoint.address;
  const std::byte* const at = packet.data();
  if (packet.size() <= payload || address.version != IpVersion::v4 ||
      std::memcmp(at, self.mac.bytes.data(), self.mac.bytes.size()) != 0 ||
      load_be16(at + ip - 2) != ethertype_ipv4 || load_u8(at + ip) != 0x45 ||
      load_u8(at + ip + 9) != protocol_udp || is_ipv4_fragment(at + ip) ||
      std::memcmp(at + ip + 16, address.view().data(), 4) != 0 ||
      load_be16(at + udp + 2) != self.endpoint.port || load_be16(at + udp + 6) != 0 ||
      load_u8(at + payload) != static_cast<std::uint8_t>(PacketType::data))
    return {};
  const std::size_t total = load_be16(at + ip + 2);
  const std::size_t datagram = load_be16(at + udp + 4);
  if (total > packet.size() - ip || datagram <= udp_header || datagram + ipv4_header > total)
    return {};
  // RFC 1071, sections 2(A) and 2(B): in whatever order of bytes, and in parts.
  std::uint64_t sum = 0;
  for (std::size_t word = 0; word < ipv4_header; word += 4) {
    std::uint32_t part = 0;
    std::memcpy(&part, at + ip + word, sizeof part);
    sum += part;
  }
  if (sum % 0xffff != 0) return {};
  return packet.subspan(payload, datagram - udp_header);
}

}  // namespace penstock::dataplane::inbound
