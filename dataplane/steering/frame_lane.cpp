#include "dataplane/steering/frame_lane.hpp"

#include "penstock/wire/frame.hpp"
#include "penstock/wire/outer.hpp"

namespace penstock::dataplane {
namespace {

// Where the UDP header begins; 0: there is none.
std::size_t udp_in(Bytes packet) {
  if (packet.size() < ethernet_header + ipv4_header) return 0;
  const Bytes ip = packet.subspan(ethernet_header);
  const std::uint16_t ethertype = load_be16(&packet[ethertype_at]);
  if (ethertype == ethertype_ipv4) {
    const bool is_whole_udp = !is_ipv4_fragment(ip.data()) && load_u8(&ip[9]) == protocol_udp;
    return is_whole_udp ? ethernet_header + ipv4_header_length(ip.data()) : 0;
  }
  if (ethertype == ethertype_ipv6 && load_u8(&ip[6]) == protocol_udp)
    return ethernet_header + ipv6_header;
  return 0;
}

}  // namespace

std::optional<unsigned> frame_lane(Bytes packet, std::uint16_t udp_port) {
  const std::size_t udp = udp_in(packet);
  if (udp == 0 || packet.size() < udp + udp_header + frame_layout::header) return std::nullopt;
  if (load_be16(&packet[udp + 2]) != udp_port) return std::nullopt;
  const std::byte* const frame = &packet[udp + udp_header];
  if (load_u8(frame + frame_layout::type) != static_cast<std::uint8_t>(PacketType::data))
    return std::nullopt;
  return Spi{load_be32(frame + frame_layout::spi)}.lane();
}

}  // namespace penstock::dataplane
