#include "dataplane/endpoint/arp.hpp"

#include <algorithm>

#include "penstock/wire/outer.hpp"

namespace penstock::dataplane::endpoint {
namespace {

// Offsets behind the Ethernet header.
constexpr std::size_t hardware_type = 0;
constexpr std::size_t protocol_type = 2;
constexpr std::size_t lengths = 4;
constexpr std::size_t operation = 6;
constexpr std::size_t sender_mac = 8;
constexpr std::size_t sender_ip = 14;
constexpr std::size_t target_mac = 18;
constexpr std::size_t target_ip = 24;
constexpr std::size_t arp_size = 28;

constexpr std::uint16_t ethernet = 1;
constexpr std::uint16_t mac_and_ipv4_lengths = 0x0604;
constexpr std::uint16_t request = 1;
constexpr std::uint16_t reply = 2;

constexpr MacAddress broadcast{{std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                                std::byte{0xff}, std::byte{0xff}}};

struct Arp {
  std::uint16_t operation = 0;
  MacAddress to;
  MacAddress target_mac;
  IpAddress target_ip;
};

Packet make_arp(const Arp& arp, const WireIdentity& self) {
  Packet packet(ethernet_header + arp_size);
  std::ranges::copy(arp.to.bytes, packet.begin());
  std::ranges::copy(self.mac.bytes, packet.begin() + 6);
  store_be16(&packet[ethertype_at], ethertype_arp);
  std::byte* at = &packet[ethernet_header];
  store_be16(at + hardware_type, ethernet);
  store_be16(at + protocol_type, ethertype_ipv4);
  store_be16(at + lengths, mac_and_ipv4_lengths);
  store_be16(at + operation, arp.operation);
  std::ranges::copy(self.mac.bytes, at + sender_mac);
  std::ranges::copy(self.endpoint.address.view(), at + sender_ip);
  std::ranges::copy(arp.target_mac.bytes, at + target_mac);
  std::ranges::copy(arp.target_ip.view(), at + target_ip);
  return packet;
}

}  // namespace

std::optional<Neighbour> read_arp(Bytes packet, const WireIdentity& self) {
  if (packet.size() < ethernet_header + arp_size) return std::nullopt;
  const Bytes arp = packet.subspan(ethernet_header, arp_size);
  if (load_be16(&arp[hardware_type]) != ethernet ||
      load_be16(&arp[protocol_type]) != ethertype_ipv4 ||
      load_be16(&arp[lengths]) != mac_and_ipv4_lengths)
    return std::nullopt;
  const std::uint16_t what = load_be16(&arp[operation]);
  if (what != request && what != reply) return std::nullopt;
  const bool is_to_us = IpAddress::from(arp.subspan(target_ip, 4)) == self.endpoint.address;
  Neighbour who{.address = IpAddress::from(arp.subspan(sender_ip, 4)),
                .asks_for_us = is_to_us && what == request};
  const bool is_gratuitous = who.address == IpAddress::from(arp.subspan(target_ip, 4));
  std::ranges::copy(arp.subspan(sender_mac, 6), who.mac.bytes.begin());
  if (!(is_to_us || is_gratuitous) || is_group(who.mac)) return std::nullopt;
  return who;
}

Packet answer_arp(const Neighbour& who, const WireIdentity& self) {
  return make_arp(
      {.operation = reply, .to = who.mac, .target_mac = who.mac, .target_ip = who.address}, self);
}

Packet ask_arp(const IpAddress& address, const WireIdentity& self) {
  return make_arp({.operation = request, .to = broadcast, .target_ip = address}, self);
}

}  // namespace penstock::dataplane::endpoint
