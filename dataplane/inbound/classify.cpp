#include "dataplane/inbound/classify.hpp"

#include <algorithm>
#include <cstring>

#include "penstock/base/limits.hpp"
#include "penstock/wire/frame.hpp"
#include "penstock/wire/outer.hpp"

namespace penstock::dataplane::inbound {
namespace {

constexpr std::size_t arp_sender = ethernet_header + 14;  // RFC 826, for Ethernet and IPv4
constexpr std::size_t arp_target = ethernet_header + 24;
constexpr std::size_t arp_end = arp_target + 4;
constexpr std::uint8_t icmp_echo_request = 8;
constexpr std::uint8_t icmpv6_echo_request = 128;
constexpr std::uint8_t neighbour_solicitation = 135;  // RFC 4861
constexpr std::uint8_t neighbour_advertisement = 136;

bool starts_with(Bytes bytes, Bytes start) {
  return bytes.size() >= start.size() && std::ranges::equal(bytes.first(start.size()), start);
}

bool is_for(const MacAddress& mac, Bytes packet) { return starts_with(packet, mac.bytes); }
// Broadcast included.
bool is_multicast(Bytes packet) { return (load_u8(packet.data()) & 1) != 0; }

// Addressed to us, or gratuitous: somebody says that its own address has moved.
WireKind classify_arp(Bytes packet, const IpAddress& self) {
  if (packet.size() < arp_end) return WireKind::malformed;
  const Bytes target = packet.subspan(arp_target, 4);
  const bool is_gratuitous = starts_with(packet.subspan(arp_sender), target);
  const bool concerns_us =
      self.version == IpVersion::v4 && (is_gratuitous || std::ranges::equal(target, self.view()));
  return concerns_us ? WireKind::neighbour : WireKind::foreign;
}

WireKind classify_icmp(Bytes packet, const IpAddress& self) {
  constexpr std::size_t destination = ethernet_header + 16;
  const std::size_t icmp = ethernet_header + ipv4_header_length(&packet[ethernet_header]);
  if (packet.size() < icmp + 8) return WireKind::malformed;
  if (!starts_with(packet.subspan(destination), self.view())) return WireKind::foreign;
  return load_u8(&packet[icmp]) == icmp_echo_request ? WireKind::echo : WireKind::foreign;
}

WireKind classify_icmpv6(Bytes packet, const IpAddress& self) {
  constexpr std::size_t destination = ethernet_header + 24;
  constexpr std::size_t icmp = ethernet_header + ipv6_header;
  constexpr std::size_t nd_target = icmp + 8;
  if (packet.size() < icmp + 8) return WireKind::malformed;
  const std::uint8_t type = load_u8(&packet[icmp]);
  const bool is_to_us = starts_with(packet.subspan(destination), self.view());
  if (type == neighbour_solicitation) {
    if (packet.size() < nd_target + 16) return WireKind::malformed;
    return starts_with(packet.subspan(nd_target), self.view()) ? WireKind::neighbour
                                                               : WireKind::foreign;
  }
  // An unsolicited advertisement goes to all nodes.
  const bool is_to_all = load_u8(&packet[destination]) == 0xff;
  if (type == neighbour_advertisement && (is_to_us || is_to_all)) return WireKind::neighbour;
  if (!is_to_us) return WireKind::foreign;
  return type == icmpv6_echo_request ? WireKind::echo : WireKind::foreign;
}

// IP, but not UDP over it.
WireKind classify_other(Bytes packet, const IpAddress& self) {
  const std::uint16_t ethertype = load_be16(&packet[ethernet_header - 2]);
  const bool v4 = ethertype == ethertype_ipv4 && self.version == IpVersion::v4;
  const bool v6 = ethertype == ethertype_ipv6 && self.version == IpVersion::v6;
  if (packet.size() < ethernet_header + (v6 ? ipv6_header : ipv4_header)) return WireKind::foreign;
  if (v4 && load_u8(&packet[ethernet_header + 9]) == protocol_icmp)
    return classify_icmp(packet, self);
  if (v6 && load_u8(&packet[ethernet_header + 6]) == protocol_icmpv6)
    return classify_icmpv6(packet, self);
  return WireKind::foreign;
}

WireKind kind_of(OuterError error, Bytes packet, const IpAddress& self) {
  switch (error) {
    case OuterError::fragment:
      return WireKind::fragment;
    case OuterError::malformed:
    case OuterError::bad_checksum:
      return WireKind::malformed;
    case OuterError::not_for_us:
      break;
  }
  return classify_other(packet, self);
}

// What costs nothing to see is seen before a place in the queue to the main core is spent.
bool is_whole_handshake(Bytes message) {
  return message.size() == limits::handshake_message &&
         load_u8(&message[frame_layout::version]) == wire_version &&
         load_be16(&message[frame_layout::zero]) == 0;
}

WirePacket classify_datagram(const UdpDatagram& datagram, const Endpoint& self) {
  if (datagram.destination != self) return {WireKind::foreign};
  const std::uint8_t type = datagram.payload.empty() ? 0 : load_u8(datagram.payload.data());
  if (type == static_cast<std::uint8_t>(PacketType::path_probe))
    return {WireKind::probe, datagram.payload, datagram.source};
  if (!is_handshake(type)) return {WireKind::frame, datagram.payload};
  if (!is_whole_handshake(datagram.payload)) return {WireKind::bad_handshake};
  return {.kind = WireKind::handshake, .source = datagram.source};
}

}  // namespace

WirePacket classify(Bytes packet, const WireIdentity& self) {
  if (packet.size() < ethernet_header) return {WireKind::malformed};
  const bool is_unicast = is_for(self.mac, packet);
  if (!is_unicast && !is_multicast(packet)) return {WireKind::foreign};
  if (load_be16(&packet[ethernet_header - 2]) == ethertype_arp)
    return {classify_arp(packet, self.endpoint.address)};

  const auto datagram = is_unicast ? parse_udp(packet) : std::unexpected{OuterError::not_for_us};
  if (datagram) return classify_datagram(*datagram, self.endpoint);
  const WireKind kind = kind_of(datagram.error(), packet, self.endpoint.address);
  // Only neighbour discovery may come to a group of which we are one.
  if (!is_unicast && kind != WireKind::neighbour) return {WireKind::foreign};
  return {kind};
}

}  // namespace penstock::dataplane::inbound
