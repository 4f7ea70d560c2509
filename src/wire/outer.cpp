#include "penstock/wire/outer.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

constexpr std::uint8_t next_fragment = 44;
constexpr std::uint8_t ttl = 64;
constexpr std::uint16_t dont_fragment = 0x4000;

void put(std::byte* at, Bytes bytes) { std::ranges::copy(bytes, at); }

void write_ethernet(std::byte* at, const OuterAddresses& addresses, std::uint16_t ethertype) {
  put(at, addresses.destination_mac.bytes);
  put(at + 6, addresses.source_mac.bytes);
  store_be16(at + ethertype_at, ethertype);
}

void write_ipv4(std::byte* at, const OuterAddresses& addresses, std::size_t datagram) {
  store_u8(at, 0x45);  // version, header length
  store_u8(at + 1, addresses.traffic_class);
  store_be16(at + 2, static_cast<std::uint16_t>(ipv4_header + datagram));
  store_be16(at + 4, 0);  // id
  store_be16(at + 6, dont_fragment);
  store_u8(at + 8, ttl);
  store_u8(at + 9, protocol_udp);
  store_be16(at + 10, 0);
  put(at + 12, addresses.source.address.view());
  put(at + 16, addresses.destination.address.view());
  store_be16(at + 10, internet_checksum({at, ipv4_header}));
}

void write_ipv6(std::byte* at, const OuterAddresses& addresses, std::size_t datagram) {
  const std::uint32_t traffic_class = addresses.traffic_class;
  store_be32(at, 0x60000000 | traffic_class << 20);  // version; flow label zero
  store_be16(at + 4, static_cast<std::uint16_t>(datagram));
  store_u8(at + 6, protocol_udp);
  store_u8(at + 7, ttl);
  put(at + 8, addresses.source.address.view());
  put(at + 24, addresses.destination.address.view());
}

void write_udp(std::byte* at, const OuterAddresses& addresses, std::size_t datagram) {
  store_be16(at, addresses.source.port);
  store_be16(at + 2, addresses.destination.port);
  store_be16(at + 4, static_cast<std::uint16_t>(datagram));
  store_be16(at + 6, 0);
}

// 16-bit words summed without folding; 64 bits hold the sum of any packet.
std::uint64_t sum_words(Bytes data) {
  std::uint64_t sum = 0;
  while (data.size() >= 4) {
    sum += load_be32(data.data());
    data = data.subspan(4);
  }
  if (data.size() >= 2) {
    sum += load_be16(data.data());
    data = data.subspan(2);
  }
  if (!data.empty()) sum += std::uint64_t{load_u8(data.data())} << 8;
  return sum;
}

constexpr std::uint16_t fold(std::uint64_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

// An IP packet that carries UDP: addresses (ports still zero) and the UDP datagram.
struct IpContents {
  IpAddress source;
  IpAddress destination;
  Bytes datagram;
};

std::expected<IpContents, OuterError> parse_ipv4(Bytes packet) {
  using enum OuterError;
  if (packet.size() < ipv4_header) return std::unexpected{malformed};
  const std::byte* at = packet.data();
  const std::size_t header = ipv4_header_length(at);
  const std::size_t total = load_be16(at + 2);
  if (load_u8(at) >> 4 != 4 || header < ipv4_header || total < header || total > packet.size()) {
    return std::unexpected{malformed};
  }
  if (internet_checksum(packet.first(header)) != 0) return std::unexpected{bad_checksum};
  if (load_u8(at + 9) != protocol_udp) return std::unexpected{not_for_us};
  if (is_ipv4_fragment(at)) return std::unexpected{fragment};
  return IpContents{.source = IpAddress::from(packet.subspan(12, 4)),
                    .destination = IpAddress::from(packet.subspan(16, 4)),
                    .datagram = packet.subspan(header, total - header)};
}

std::expected<IpContents, OuterError> parse_ipv6(Bytes packet) {
  using enum OuterError;
  if (packet.size() < ipv6_header) return std::unexpected{malformed};
  const std::byte* at = packet.data();
  const std::size_t length = load_be16(at + 4);
  if (load_u8(at) >> 4 != 6 || length > packet.size() - ipv6_header) {
    return std::unexpected{malformed};
  }
  const std::uint8_t next = load_u8(at + 6);
  if (next == next_fragment) return std::unexpected{fragment};
  if (next != protocol_udp) return std::unexpected{not_for_us};
  return IpContents{.source = IpAddress::from(packet.subspan(8, 16)),
                    .destination = IpAddress::from(packet.subspan(24, 16)),
                    .datagram = packet.subspan(ipv6_header, length)};
}

std::expected<UdpDatagram, OuterError> parse_datagram(const IpContents& ip) {
  using enum OuterError;
  if (ip.datagram.size() < udp_header) return std::unexpected{malformed};
  const std::byte* at = ip.datagram.data();
  const std::size_t length = load_be16(at + 4);
  if (length < udp_header || length > ip.datagram.size()) return std::unexpected{malformed};
  const Bytes datagram = ip.datagram.first(length);
  if (load_be16(at + 6) != 0) {
    const std::uint32_t pseudo = pseudo_header_sum(ip.source, ip.destination, protocol_udp, length);
    if (internet_checksum(datagram, pseudo) != 0) return std::unexpected{bad_checksum};
  }
  return UdpDatagram{.source = {.address = ip.source, .port = load_be16(at)},
                     .destination = {.address = ip.destination, .port = load_be16(at + 2)},
                     .payload = datagram.subspan(udp_header)};
}

}  // namespace

OuterHeader make_outer_header(const OuterAddresses& addresses, std::size_t payload) {
  const bool is_v4 = addresses.source.address.version == IpVersion::v4;
  check(addresses.source.address.version == addresses.destination.address.version,
        "an outer header needs two addresses of one IP version");
  const std::size_t datagram = udp_header + payload;
  check(datagram <= 0xffff - ipv4_header, "an outer header's payload fits one IP packet");

  OuterHeader header;
  std::byte* at = header.bytes.data();
  write_ethernet(at, addresses, is_v4 ? ethertype_ipv4 : ethertype_ipv6);
  at += ethernet_header;
  if (is_v4) {
    write_ipv4(at, addresses, datagram);
    at += ipv4_header;
  } else {
    write_ipv6(at, addresses, datagram);
    at += ipv6_header;
  }
  write_udp(at, addresses, datagram);
  header.length = static_cast<std::uint8_t>(at + udp_header - header.bytes.data());
  return header;
}

void set_outer_dscp(MutableBytes packet, std::uint8_t dscp) {
  std::byte* ip = &packet[ethernet_header];
  if (load_u8(ip) >> 4 == 6) {
    store_be16(ip, static_cast<std::uint16_t>((load_be16(ip) & 0xf03f) | dscp << 6));
    return;
  }
  store_u8(ip + 1, static_cast<std::uint8_t>((load_u8(ip + 1) & 0x03) | dscp << 2));
  store_be16(ip + 10, 0);
  store_be16(ip + 10, internet_checksum({ip, ipv4_header}));
}

void finish_udp6_checksum(MutableBytes packet) {
  if (load_be16(&packet[ethertype_at]) != ethertype_ipv6) return;
  const Bytes addresses = Bytes{packet}.subspan(ethernet_header + 8, 32);
  const MutableBytes datagram = packet.subspan(ethernet_header + ipv6_header);
  store_be16(&datagram[6], 0);
  const std::uint64_t sum =
      sum_words(addresses) + protocol_udp + datagram.size() + sum_words(datagram);
  const auto checksum = static_cast<std::uint16_t>(~fold(sum));
  store_be16(&datagram[6], checksum == 0 ? 0xffff : checksum);  // zero would say "none"
}

std::uint16_t internet_checksum(Bytes data, std::uint32_t sum) {
  return static_cast<std::uint16_t>(~fold(sum + sum_words(data)));
}

std::uint32_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, std::size_t length) {
  return fold(sum_words(source.view()) + sum_words(destination.view()) + protocol + length);
}

std::expected<UdpDatagram, OuterError> parse_udp(Bytes packet) {
  if (packet.size() < ethernet_header) return std::unexpected{OuterError::malformed};
  const std::uint16_t ethertype = load_be16(&packet[ethertype_at]);
  const Bytes ip = packet.subspan(ethernet_header);
  if (ethertype != ethertype_ipv4 && ethertype != ethertype_ipv6) {
    return std::unexpected{OuterError::not_for_us};
  }
  const auto contents = ethertype == ethertype_ipv4 ? parse_ipv4(ip) : parse_ipv6(ip);
  if (!contents) return std::unexpected{contents.error()};
  return parse_datagram(*contents);
}

}  // namespace penstock
