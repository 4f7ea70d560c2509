#include "penstock/wire/inner_packet.hpp"

#include <array>
#include <optional>

#include "penstock/base/limits.hpp"
#include "penstock/wire/outer.hpp"

namespace penstock {
namespace {

constexpr std::size_t checksum_at = 10;
constexpr std::uint8_t ecn_bits = 3;
constexpr std::uint8_t ce = 3;
constexpr std::uint8_t not_ect = 0;
constexpr std::uint8_t router_solicitation = 133;  // the first of neighbour discovery
constexpr std::uint8_t redirect = 137;             // the last (RFC 4861)

constexpr auto dscp_classes = [] {
  std::array<PacketClass, 64> of;
  of.fill(PacketClass::normal);
  for (const unsigned voice : {46u, 44u, 40u, 48u, 56u}) of[voice] = PacketClass::voice;
  for (const unsigned video : {34u, 36u, 38u, 26u, 28u, 30u, 32u, 24u})
    of[video] = PacketClass::video;
  for (const unsigned bulk : {8u, 1u}) of[bulk] = PacketClass::bulk;
  return of;
}();

constexpr std::array<PacketClass, 8> priority_classes = {
    PacketClass::normal, PacketClass::bulk,  PacketClass::normal, PacketClass::video,
    PacketClass::video,  PacketClass::voice, PacketClass::voice,  PacketClass::voice};

// What is behind an Ethernet header and its tags.
struct Inside {
  std::uint16_t ethertype = 0;  // 0: nobody can say
  std::size_t at = 0;
};

Inside behind_tags(Bytes packet) {
  std::size_t at = ethertype_at;
  for (unsigned tags = 0; tags <= max_vlan_tags; ++tags, at += vlan_tag) {
    if (packet.size() < at + 2) break;
    const std::uint16_t ethertype = load_be16(&packet[at]);
    if (!is_vlan_tag(ethertype)) return {.ethertype = ethertype, .at = at + 2};
  }
  return {};
}

enum class Version : std::uint8_t { none, v4, v6 };

// Of the IP header at the start; `none` unless all of it that is fixed is there.
Version version_of(Bytes ip) {
  if (ip.size() < ipv4_header) return Version::none;
  const std::uint8_t first = load_u8(ip.data());
  if (first >> 4 == 4) {
    const std::size_t header = ipv4_header_length(ip.data());
    return header >= ipv4_header && header <= ip.size() ? Version::v4 : Version::none;
  }
  return first >> 4 == 6 && ip.size() >= ipv6_header ? Version::v6 : Version::none;
}

// The IPv4 TOS or IPv6 traffic class: DSCP, then ECN.
std::uint8_t traffic_class(Bytes ip, Version version) {
  if (version == Version::v4) return load_u8(&ip[1]);
  return static_cast<std::uint8_t>(load_be16(ip.data()) >> 4);
}

// Where ethertype and IP version agree; else empty.
Bytes ip_in(Bytes packet, Inside inside) {
  const bool is_v4 = inside.ethertype == ethertype_ipv4;
  if (!is_v4 && inside.ethertype != ethertype_ipv6) return {};
  const Bytes ip = packet.subspan(inside.at);
  return version_of(ip) == (is_v4 ? Version::v4 : Version::v6) ? ip : Bytes{};
}

bool is_neighbour_discovery(Bytes ip) {
  if (version_of(ip) != Version::v6 || load_u8(&ip[6]) != protocol_icmpv6) return false;
  if (ip.size() <= ipv6_header) return false;
  const std::uint8_t type = load_u8(&ip[ipv6_header]);
  return type >= router_solicitation && type <= redirect;
}

// RFC 1624, equation 3: the checksum of a header in which one word was changed.
std::uint16_t mended(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) {
  std::uint32_t sum = static_cast<std::uint16_t>(~checksum);
  sum += static_cast<std::uint16_t>(~before);
  sum += after;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void set_ce_v4(std::byte* ip) {
  const std::uint16_t before = load_be16(ip);
  const auto after = static_cast<std::uint16_t>(before | ce);
  store_be16(ip, after);
  store_be16(ip + checksum_at, mended(load_be16(ip + checksum_at), before, after));
}

void set_ce_v6(std::byte* ip) {
  store_be16(ip, static_cast<std::uint16_t>(load_be16(ip) | ce << 4));
}

bool mark_ip(MutableBytes ip) {
  const Version version = version_of(ip);
  if (version == Version::none) return false;
  const std::uint8_t ecn = traffic_class(ip, version) & ecn_bits;
  if (ecn == not_ect) return false;
  if (ecn == ce) return true;
  version == Version::v4 ? set_ce_v4(ip.data()) : set_ce_v6(ip.data());
  return true;
}

bool mark_ethernet(MutableBytes packet) {
  const std::size_t length = ip_in(packet, behind_tags(packet)).size();
  return length != 0 && mark_ip(packet.last(length));
}

}  // namespace

PacketClass class_of_dscp(std::uint8_t dscp) { return dscp_classes[dscp % dscp_classes.size()]; }

PacketClass class_of_priority(std::uint8_t priority) {
  return priority_classes[priority % priority_classes.size()];
}

std::uint8_t dscp_in(Bytes packet) {
  const Bytes ip = ip_in(packet, behind_tags(packet));
  return ip.empty() ? 0 : traffic_class(ip, version_of(ip)) >> 2;
}

PacketClass class_by_dscp(Bytes packet) {
  const Inside inside = behind_tags(packet);
  if (inside.ethertype == ethertype_arp) return PacketClass::voice;
  const Bytes ip = ip_in(packet, inside);
  if (ip.empty()) return PacketClass::normal;
  if (is_neighbour_discovery(ip)) return PacketClass::voice;
  return class_of_dscp(traffic_class(ip, version_of(ip)) >> 2);
}

PacketClass class_by_priority(Bytes packet) {
  const bool has_tag =
      packet.size() >= ethertype_at + vlan_tag && is_vlan_tag(load_be16(&packet[ethertype_at]));
  return has_tag ? class_of_tag(load_be16(&packet[ethertype_at + 2])) : PacketClass::normal;
}

bool mark_ce(BlockKind kind, MutableBytes block) {
  switch (kind) {
    case BlockKind::ip:
      return mark_ip(block);
    case BlockKind::ethernet:
      return mark_ethernet(block);
    case BlockKind::offload_ethernet:
      return block.size() > limits::virtio_net_header &&
             mark_ethernet(block.subspan(limits::virtio_net_header));
    case BlockKind::padding:
    case BlockKind::control:
      return false;
  }
  return false;
}

}  // namespace penstock
