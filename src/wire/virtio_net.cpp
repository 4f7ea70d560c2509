#include "penstock/wire/virtio_net.hpp"

#include "penstock/wire/outer.hpp"

namespace penstock {
namespace {

constexpr std::size_t min_gso_size = 256;
constexpr std::size_t max_segments = 128;  // the kernel's UDP_MAX_SEGMENTS
constexpr unsigned max_extension_headers = 8;

constexpr std::size_t tcp_min_header = 20;
constexpr std::size_t tcp_checksum_at = 16;
constexpr std::size_t udp_checksum_at = 6;
constexpr std::uint8_t tcp_flag_cwr = 0x80;

// Offsets count from the Ethernet header.
struct Network {
  std::uint16_t ethertype = 0;
  std::size_t start = 0;
};

struct Transport {
  std::uint8_t protocol = 0;
  std::size_t start = 0;
  std::size_t network_end = 0;  // of the IP packet; Ethernet padding may follow
};

struct Segmentation {
  std::uint8_t gso_type = VirtioNetHeader::gso_none;
  std::uint16_t gso_size = 0;
};

std::optional<Network> find_network(Bytes packet) {
  std::size_t at = ethertype_at;
  for (unsigned tags = 0; tags <= max_vlan_tags; ++tags, at += vlan_tag) {
    if (packet.size() < at + 2) return std::nullopt;
    const std::uint16_t ethertype = load_be16(&packet[at]);
    if (!is_vlan_tag(ethertype)) return Network{.ethertype = ethertype, .start = at + 2};
  }
  return std::nullopt;
}

std::optional<Transport> find_transport_v4(Bytes packet, std::size_t start) {
  if (packet.size() < start + ipv4_header) return std::nullopt;
  const std::byte* at = &packet[start];
  const std::size_t header = ipv4_header_length(at);
  const std::size_t total = load_be16(at + 2);
  if (load_u8(at) >> 4 != 4 || header < ipv4_header || total < header || is_ipv4_fragment(at) ||
      packet.size() < start + total) {
    return std::nullopt;
  }
  return Transport{
      .protocol = load_u8(at + 9), .start = start + header, .network_end = start + total};
}

// The extension headers that segmentation walks over: hop-by-hop options, routing,
// destination options. Behind any other (fragment, AH, ESP) nobody can finish a checksum.
constexpr bool is_walkable_extension(std::uint8_t next) {
  return next == 0 || next == 43 || next == 60;
}

std::optional<Transport> find_transport_v6(Bytes packet, std::size_t start) {
  if (packet.size() < start + ipv6_header) return std::nullopt;
  const std::byte* at = &packet[start];
  const std::size_t end = start + ipv6_header + load_be16(at + 4);
  if (load_u8(at) >> 4 != 6 || packet.size() < end) return std::nullopt;

  std::uint8_t next = load_u8(at + 6);
  std::size_t here = start + ipv6_header;
  for (unsigned walked = 0; is_walkable_extension(next); ++walked) {
    if (walked == max_extension_headers || end < here + 8) return std::nullopt;
    next = load_u8(&packet[here]);
    here += std::size_t{8} * (1u + load_u8(&packet[here + 1]));
  }
  if (here > end) return std::nullopt;
  return Transport{.protocol = next, .start = here, .network_end = end};
}

std::optional<Transport> find_transport(Bytes packet, Network network) {
  switch (network.ethertype) {
    case ethertype_ipv4:
      return find_transport_v4(packet, network.start);
    case ethertype_ipv6:
      return find_transport_v6(packet, network.start);
    default:
      return std::nullopt;
  }
}

// Where the payload begins; empty if the TCP or UDP header is cut or the protocol another.
// (SCTP's CRC32c is no internet checksum: NEEDS_CSUM cannot ask for it.)
std::optional<std::size_t> find_payload(Bytes packet, const Transport& transport) {
  const std::size_t room = transport.network_end - transport.start;
  if (transport.protocol == protocol_udp && room >= udp_header) {
    return transport.start + udp_header;
  }
  if (transport.protocol == protocol_tcp && room >= tcp_min_header) {
    const std::size_t header = std::size_t{4} * (load_u8(&packet[transport.start + 12]) >> 4);
    if (header >= tcp_min_header && header <= room) return transport.start + header;
  }
  return std::nullopt;
}

constexpr bool gso_agrees(std::uint8_t base_type, std::uint16_t ethertype, std::uint8_t protocol) {
  switch (base_type) {
    case VirtioNetHeader::gso_tcp4:
      return ethertype == ethertype_ipv4 && protocol == protocol_tcp;
    case VirtioNetHeader::gso_tcp6:
      return ethertype == ethertype_ipv6 && protocol == protocol_tcp;
    case VirtioNetHeader::gso_udp_l4:
      return protocol == protocol_udp;
    default:
      return false;  // UFO among them
  }
}

std::optional<Segmentation> rebuild_segmentation(Bytes packet, std::uint16_t ethertype,
                                                 const Transport& transport, std::size_t payload_at,
                                                 const VirtioNetHeader& claimed) {
  if (claimed.gso_type == VirtioNetHeader::gso_none) return Segmentation{};

  const auto base_type = static_cast<std::uint8_t>(claimed.gso_type & ~VirtioNetHeader::gso_ecn);
  const bool claims_ecn = claimed.gso_type != base_type;
  const bool is_tcp = transport.protocol == protocol_tcp;
  if (!gso_agrees(base_type, ethertype, transport.protocol)) return std::nullopt;
  if (claims_ecn && !is_tcp) return std::nullopt;
  // Whoever segments counts the payload to the packet's end: padding would become data.
  if (transport.network_end != packet.size()) return std::nullopt;

  const std::size_t payload = packet.size() - payload_at;
  if (claimed.gso_size < min_gso_size || payload > max_segments * claimed.gso_size) {
    return std::nullopt;
  }
  if (payload <= claimed.gso_size) return Segmentation{};  // one segment: nothing to cut

  // ECN says that CWR belongs to the first segment only; without CWR it says nothing.
  const bool has_cwr = is_tcp && (load_u8(&packet[transport.start + 13]) & tcp_flag_cwr) != 0;
  return Segmentation{.gso_type = claims_ecn && has_cwr ? claimed.gso_type : base_type,
                      .gso_size = claimed.gso_size};
}

}  // namespace

void write_virtio_net(VirtioNetBytes out, const VirtioNetHeader& header) {
  store_u8(&out[0], header.flags);
  store_u8(&out[1], header.gso_type);
  store_le16(&out[2], header.header_length);
  store_le16(&out[4], header.gso_size);
  store_le16(&out[6], header.csum_start);
  store_le16(&out[8], header.csum_offset);
}

VirtioNetHeader read_virtio_net(ConstVirtioNetBytes in) {
  return {.flags = load_u8(&in[0]),
          .gso_type = load_u8(&in[1]),
          .header_length = load_le16(&in[2]),
          .gso_size = load_le16(&in[4]),
          .csum_start = load_le16(&in[6]),
          .csum_offset = load_le16(&in[8])};
}

std::optional<VirtioNetHeader> rebuild_virtio_net(Bytes packet, const VirtioNetHeader& claimed) {
  if (claimed.is_finished()) return VirtioNetHeader{};
  // Segmentation without NEEDS_CSUM is against the standard (virtio 1.2, 5.1.6.2.1).
  if ((claimed.flags & VirtioNetHeader::needs_csum) == 0) return std::nullopt;

  const auto network = find_network(packet);
  if (!network) return std::nullopt;
  const auto transport = find_transport(packet, *network);
  if (!transport) return std::nullopt;
  const auto payload_at = find_payload(packet, *transport);
  if (!payload_at) return std::nullopt;

  const std::size_t checksum_at =
      transport->protocol == protocol_tcp ? tcp_checksum_at : udp_checksum_at;
  if (claimed.csum_start != transport->start || claimed.csum_offset != checksum_at) {
    return std::nullopt;
  }
  const auto segmentation =
      rebuild_segmentation(packet, network->ethertype, *transport, *payload_at, claimed);
  if (!segmentation) return std::nullopt;

  return VirtioNetHeader{.flags = VirtioNetHeader::needs_csum,
                         .gso_type = segmentation->gso_type,
                         .header_length = static_cast<std::uint16_t>(*payload_at),
                         .gso_size = segmentation->gso_size,
                         .csum_start = static_cast<std::uint16_t>(transport->start),
                         .csum_offset = static_cast<std::uint16_t>(checksum_at)};
}

}  // namespace penstock
