// Ping for the wire address (RFC 792, RFC 4443).
#include <algorithm>

#include "penstock/wire/outer.hpp"

#include "dataplane/endpoint/neighbour_discovery.hpp"
#include "dataplane/endpoint/packets.hpp"

namespace penstock::dataplane::endpoint {
namespace {

constexpr std::size_t ip = ethernet_header;
constexpr std::uint8_t fresh_ttl = 64;

void copy_bytes(Bytes from, std::byte* to) { std::ranges::copy(from, to); }

// Back to where the request came from: MAC addresses, then IP addresses of `size` bytes.
Packet turn_around(Bytes request, const WireIdentity& self, std::size_t addresses,
                   std::size_t size) {
  Packet reply(request.begin(), request.end());
  copy_bytes(request.subspan(6, 6), reply.data());
  copy_bytes(self.mac.bytes, &reply[6]);
  copy_bytes(request.subspan(addresses, size), &reply[addresses + size]);
  copy_bytes(request.subspan(addresses + size, size), &reply[addresses]);
  return reply;
}

std::optional<Packet> answer_v4(Bytes packet, const WireIdentity& self) {
  if (packet.size() < ip + ipv4_header) return std::nullopt;
  const std::size_t header = ipv4_header_length(&packet[ip]);
  const std::size_t total = load_be16(&packet[ip + 2]);
  if (header < ipv4_header || total < header + 8 || packet.size() < ip + total ||
      is_ipv4_fragment(&packet[ip]))
    return std::nullopt;
  const Bytes request = packet.first(ip + total);  // without Ethernet padding
  const std::size_t icmp = ip + header;
  if (load_u8(&request[icmp]) != 8 || internet_checksum(request.subspan(icmp)) != 0)
    return std::nullopt;
  Packet reply = turn_around(request, self, ip + 12, 4);
  store_u8(&reply[ip + 8], fresh_ttl);
  store_be16(&reply[ip + 10], 0);
  store_be16(&reply[ip + 10], internet_checksum(Bytes{reply}.subspan(ip, header)));
  store_u8(&reply[icmp], 0);
  store_be16(&reply[icmp + 2], 0);
  store_be16(&reply[icmp + 2], internet_checksum(Bytes{reply}.subspan(icmp)));
  return reply;
}

std::optional<Packet> answer_v6(Bytes packet, const WireIdentity& self) {
  constexpr std::size_t icmp = ip + ipv6_header;
  if (packet.size() < icmp + 8) return std::nullopt;
  const std::size_t length = load_be16(&packet[ip + 4]);
  if (length < 8 || packet.size() < icmp + length) return std::nullopt;
  const Bytes request = packet.first(icmp + length);
  if (load_u8(&request[icmp]) != 128 || icmpv6_checksum(request) != 0) return std::nullopt;
  Packet reply = turn_around(request, self, ip + 8, 16);
  store_u8(&reply[ip + 7], fresh_ttl);
  store_u8(&reply[icmp], 129);
  store_be16(&reply[icmp + 2], 0);
  store_be16(&reply[icmp + 2], icmpv6_checksum(reply));
  return reply;
}

}  // namespace

std::optional<Packet> answer_echo(Bytes packet, const WireIdentity& self) {
  return self.endpoint.address.version == IpVersion::v4 ? answer_v4(packet, self)
                                                        : answer_v6(packet, self);
}

}  // namespace penstock::dataplane::endpoint
