#include "packets.hpp"

namespace penstock::test {

void append(Packet& packet, Bytes bytes) {
  packet.insert(packet.end(), bytes.begin(), bytes.end());
}

void append(Packet& packet, std::initializer_list<unsigned> bytes) {
  for (const unsigned byte : bytes) packet.push_back(static_cast<std::byte>(byte));
}

void append_be16(Packet& packet, std::size_t value) {
  packet.push_back(static_cast<std::byte>(value >> 8));
  packet.push_back(static_cast<std::byte>(value));
}

Packet ethernet(std::uint16_t ethertype, std::initializer_list<std::uint16_t> tags) {
  Packet packet;
  append(packet, {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2});
  for (const std::uint16_t tag : tags) {
    append_be16(packet, tag);
    append_be16(packet, 7);
  }
  append_be16(packet, ethertype);
  return packet;
}

void append_ipv4(Packet& packet, std::uint8_t protocol, std::size_t length) {
  const std::size_t start = packet.size();
  append_be16(packet, 0x4500);
  append_be16(packet, ipv4_header + length);
  append(packet, {0, 0, 0x40, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2});
  store_be16(&packet[start + 10], internet_checksum(Bytes{packet}.subspan(start, ipv4_header)));
}

void append_ipv6(Packet& packet, std::uint8_t next, std::size_t length) {
  append(packet, {0x60, 0, 0, 0});
  append_be16(packet, length);
  append(packet, {next, 64});
  for (const unsigned host : {1u, 2u}) {
    append(packet, {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host});
  }
}

void append_tcp(Packet& packet, std::size_t payload, std::size_t options, std::uint8_t flags) {
  append(
      packet,
      {0x12,  0x34, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, static_cast<unsigned>((20 + options) / 4 << 4),
       flags, 0x20, 0, 0,  0, 0, 0});
  packet.resize(packet.size() + options + payload, std::byte{0x55});
}

void append_udp(Packet& packet, std::size_t payload) {
  append(packet, {0x12, 0x34, 0x1d, 0xf6});
  append_be16(packet, udp_header + payload);
  append_be16(packet, 0);
  packet.resize(packet.size() + payload, std::byte{0x66});
}

Packet tcp4(std::size_t payload, std::uint8_t flags) {
  Packet packet = ethernet(ethertype_ipv4);
  append_ipv4(packet, 6, 20 + payload);
  append_tcp(packet, payload, 0, flags);
  return packet;
}

Packet tcp6(std::size_t payload) {
  Packet packet = ethernet(ethertype_ipv6);
  append_ipv6(packet, 6, 20 + payload);
  append_tcp(packet, payload);
  return packet;
}

Packet udp4(std::size_t payload) {
  Packet packet = ethernet(ethertype_ipv4);
  append_ipv4(packet, protocol_udp, udp_header + payload);
  append_udp(packet, payload);
  return packet;
}

Packet udp6(std::size_t payload) {
  Packet packet = ethernet(ethertype_ipv6);
  append_ipv6(packet, protocol_udp, udp_header + payload);
  append_udp(packet, payload);
  return packet;
}

}  // namespace penstock::test
