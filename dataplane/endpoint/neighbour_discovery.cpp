#include "dataplane/endpoint/neighbour_discovery.hpp"

#include <algorithm>

#include "penstock/wire/outer.hpp"

namespace penstock::dataplane::endpoint {
namespace {

constexpr std::size_t ip = ethernet_header;
constexpr std::size_t ip_payload_length = ip + 4;
constexpr std::size_t ip_next_header = ip + 6;
constexpr std::size_t ip_hop_limit = ip + 7;
constexpr std::size_t ip_source = ip + 8;
constexpr std::size_t ip_destination = ip + 24;
constexpr std::size_t icmp = ip + ipv6_header;
constexpr std::size_t icmp_flags = icmp + 4;
constexpr std::size_t target = icmp + 8;
constexpr std::size_t options = target + 16;
constexpr std::size_t message_size = 24 + 8;  // with one link-layer address option

constexpr std::uint8_t solicitation = 135;
constexpr std::uint8_t advertisement = 136;
constexpr std::uint8_t source_mac = 1;
constexpr std::uint8_t target_mac = 2;
constexpr std::uint8_t solicited_and_override = 0x60;
// Proves that no router carried the message here (RFC 4861, 7.1).
constexpr std::uint8_t full_hop_limit = 255;

struct Message {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint8_t option = 0;
  MacAddress to_mac;
  IpAddress to;
  IpAddress target;
};

Packet make_message(const Message& message, const WireIdentity& self) {
  Packet packet(icmp + message_size);
  std::ranges::copy(message.to_mac.bytes, packet.begin());
  std::ranges::copy(self.mac.bytes, packet.begin() + 6);
  store_be16(&packet[ethertype_at], ethertype_ipv6);
  store_u8(&packet[ip], 0x60);
  store_be16(&packet[ip_payload_length], message_size);
  store_u8(&packet[ip_next_header], protocol_icmpv6);
  store_u8(&packet[ip_hop_limit], full_hop_limit);
  std::ranges::copy(self.endpoint.address.bytes, &packet[ip_source]);
  std::ranges::copy(message.to.bytes, &packet[ip_destination]);
  store_u8(&packet[icmp], message.type);
  store_u8(&packet[icmp_flags], message.flags);
  std::ranges::copy(message.target.bytes, &packet[target]);
  store_u8(&packet[options], message.option);
  store_u8(&packet[options + 1], 1);  // in units of 8 bytes
  std::ranges::copy(self.mac.bytes, &packet[options + 2]);
  store_be16(&packet[icmp + 2], icmpv6_checksum(packet));
  return packet;
}

// The MAC address in the option of that type. Empty: there is none, or the options are broken.
std::optional<MacAddress> find_option(Bytes at, std::uint8_t type) {
  while (at.size() >= 8) {
    const std::size_t length = std::size_t{8} * load_u8(&at[1]);
    if (length == 0 || length > at.size()) return std::nullopt;
    if (load_u8(at.data()) == type) {
      MacAddress mac;
      std::ranges::copy(at.subspan(2, 6), mac.bytes.begin());
      return mac;
    }
    at = at.subspan(length);
  }
  return std::nullopt;
}

// ff02::1:ffXX:XXXX with the address's last 24 bits, and the Ethernet group of that.
Message solicited_node(const IpAddress& address) {
  Message to;
  to.to.version = IpVersion::v6;
  to.to.bytes = {std::byte{0xff}, std::byte{0x02}};
  to.to.bytes[11] = std::byte{1};
  to.to.bytes[12] = std::byte{0xff};
  std::ranges::copy(Bytes{address.bytes}.subspan(13), to.to.bytes.begin() + 13);
  to.to_mac.bytes = {std::byte{0x33}, std::byte{0x33}, std::byte{0xff}};
  std::ranges::copy(Bytes{address.bytes}.subspan(13), to.to_mac.bytes.begin() + 3);
  return to;
}

MacAddress ethernet_source(Bytes packet) {
  MacAddress mac;
  std::ranges::copy(packet.subspan(6, 6), mac.bytes.begin());
  return mac;
}

bool is_valid(Bytes packet) {
  if (packet.size() < options) return false;
  const std::size_t length = load_be16(&packet[ip_payload_length]);
  return packet.size() >= icmp + length && length >= options - icmp &&
         load_u8(&packet[ip_next_header]) == protocol_icmpv6 &&
         load_u8(&packet[ip_hop_limit]) == full_hop_limit && load_u8(&packet[icmp + 1]) == 0 &&
         icmpv6_checksum(packet) == 0;
}

}  // namespace

std::uint16_t icmpv6_checksum(Bytes packet) {
  const std::size_t length = load_be16(&packet[ip_payload_length]);
  // The pseudo header: both addresses, the length, the next header (RFC 8200, 8.1).
  std::uint32_t sum = static_cast<std::uint32_t>(length) + protocol_icmpv6;
  for (std::size_t at = ip_source; at < icmp; at += 2) sum += load_be16(&packet[at]);
  return internet_checksum(packet.subspan(icmp, length), sum);
}

std::optional<Neighbour> read_discovery(Bytes packet, const WireIdentity& self) {
  if (!is_valid(packet)) return std::nullopt;
  const Bytes rest =
      packet.subspan(options, load_be16(&packet[ip_payload_length]) - (options - icmp));
  const IpAddress asked = IpAddress::from(packet.subspan(target, 16));
  const std::uint8_t type = load_u8(&packet[icmp]);
  if (type == advertisement) {
    const auto mac = find_option(rest, target_mac);
    if (!mac || is_group(*mac)) return std::nullopt;
    return Neighbour{.address = asked, .mac = *mac};
  }
  if (type != solicitation || asked != self.endpoint.address) return std::nullopt;
  // A solicitation from the unspecified address tests for duplicates; it has no option, and
  // the answer to it would go to everybody. Ours is configured and needs no defence.
  const IpAddress asker = IpAddress::from(packet.subspan(ip_source, 16));
  if (std::ranges::all_of(asker.bytes, [](std::byte b) { return b == std::byte{}; }))
    return std::nullopt;
  // The option may be left out of a unicast solicitation (RFC 4861, 4.3).
  const MacAddress mac = find_option(rest, source_mac).value_or(ethernet_source(packet));
  if (is_group(mac)) return std::nullopt;
  return Neighbour{.address = asker, .mac = mac, .asks_for_us = true};
}

Packet answer_discovery(const Neighbour& who, const WireIdentity& self) {
  return make_message({.type = advertisement,
                       .flags = solicited_and_override,
                       .option = target_mac,
                       .to_mac = who.mac,
                       .to = who.address,
                       .target = self.endpoint.address},
                      self);
}

Packet ask_discovery(const IpAddress& address, const WireIdentity& self) {
  Message message = solicited_node(address);
  message.type = solicitation;
  message.option = source_mac;
  message.target = address;
  return make_message(message, self);
}

}  // namespace penstock::dataplane::endpoint
