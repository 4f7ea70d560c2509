// The headers around a frame: Ethernet, IPv4 or IPv6, UDP. Built once for an SA or a
// datagram, then copied in front of each payload. All payloads of a template have one
// length, so that only the IPv6 UDP checksum, where it is not zero, depends on the bytes.
// Sources: RFC 791, 8200, 768, 6864 (IPv4 id 0 with DF), 6935 and 6936 (zero checksum), 2474
// (DSCP), 3168 (ECN).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>

#include "penstock/base/address.hpp"
#include "penstock/base/bytes.hpp"

namespace penstock {

inline constexpr std::size_t ethernet_header = 14;
inline constexpr std::size_t ipv4_header = 20;
inline constexpr std::size_t ipv6_header = 40;
inline constexpr std::size_t udp_header = 8;
inline constexpr std::size_t max_outer_header = ethernet_header + ipv6_header + udp_header;

inline constexpr std::uint16_t ethertype_ipv4 = 0x0800;
inline constexpr std::uint16_t ethertype_arp = 0x0806;
inline constexpr std::uint16_t ethertype_ipv6 = 0x86dd;
inline constexpr std::uint16_t ethertype_vlan = 0x8100;
inline constexpr std::uint16_t ethertype_qinq = 0x88a8;
inline constexpr std::uint16_t ethertype_mac_control = 0x8808;
inline constexpr std::size_t ethertype_at = ethernet_header - 2;  // or the first tag's

inline constexpr std::size_t vlan_tag = 4;
inline constexpr unsigned max_vlan_tags = 8;  // the kernel's VLAN_MAX_DEPTH
[[nodiscard]] constexpr bool is_vlan_tag(std::uint16_t ethertype) {
  return ethertype == ethertype_vlan || ethertype == ethertype_qinq;
}

inline constexpr std::uint8_t protocol_icmp = 1;
inline constexpr std::uint8_t protocol_tcp = 6;
inline constexpr std::uint8_t protocol_udp = 17;
inline constexpr std::uint8_t protocol_icmpv6 = 58;

// Of an IPv4 header at `ip`: more fragments to come, or an offset, which a whole packet lacks.
inline constexpr std::uint16_t ipv4_fragment_bits = 0x3fff;
[[nodiscard]] inline bool is_ipv4_fragment(const std::byte* ip) {
  return (load_be16(ip + 6) & ipv4_fragment_bits) != 0;
}
// As it says itself, options included: less than ipv4_header where it is broken.
[[nodiscard]] inline std::size_t ipv4_header_length(const std::byte* ip) {
  return std::size_t{4} * (load_u8(ip) & 15);
}

struct OuterAddresses {
  MacAddress source_mac;
  MacAddress destination_mac;
  Endpoint source;
  Endpoint destination;
  std::uint8_t traffic_class = 0;  // IPv4 TOS, IPv6 traffic class: DSCP, then ECN
};

// Not-ECT, or ECT(0): congestion on the way is marked instead of lost.
[[nodiscard]] constexpr std::uint8_t traffic_class(std::uint8_t dscp, bool is_ecn_capable) {
  return static_cast<std::uint8_t>(dscp << 2 | (is_ecn_capable ? 2 : 0));
}

struct OuterHeader {
  std::array<std::byte, max_outer_header> bytes{};
  std::uint8_t length = 0;  // 42 over IPv4, 62 over IPv6

  [[nodiscard]] Bytes view() const { return Bytes{bytes}.first(length); }
};

// The headers of a UDP datagram of `payload` bytes, its UDP checksum left zero.
[[nodiscard]] OuterHeader make_outer_header(const OuterAddresses& addresses, std::size_t payload);

// Gives a packet that make_outer_header began another DSCP. What else stands in its traffic class
// stays.
void set_outer_dscp(MutableBytes packet, std::uint8_t dscp);

// Puts the UDP checksum into a whole IPv6 packet (Ethernet header first) that
// make_outer_header began. IPv4 packets keep zero.
void finish_udp6_checksum(MutableBytes packet);

// The internet checksum (RFC 1071) of `data`, `sum` added before folding: the complement,
// as it stands in a header. Zero over data that already carries its right checksum.
[[nodiscard]] std::uint16_t internet_checksum(Bytes data, std::uint32_t sum = 0);

// What UDP and ICMPv6 add to their checksum: the `sum` for internet_checksum.
// `length` is the upper layer's, header included.
[[nodiscard]] std::uint32_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                              std::uint8_t protocol, std::size_t length);

enum class OuterError : std::uint8_t { not_for_us, malformed, fragment, bad_checksum };

// A UDP datagram found inside an Ethernet packet; the span points into the packet.
struct UdpDatagram {
  Endpoint source;
  Endpoint destination;
  Bytes payload;
};

// Parses Ethernet / IPv4 or IPv6 / UDP. Lengths are checked against the packet, Ethernet
// padding is cut off, IPv4 header checksums and non-zero UDP checksums are verified.
// not_for_us: it is not UDP over IP at all. IPv4 fragments are refused.
[[nodiscard]] std::expected<UdpDatagram, OuterError> parse_udp(Bytes packet);

}  // namespace penstock
