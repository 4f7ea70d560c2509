#include "nat.hpp"

#include "penstock/wire/outer.hpp"

namespace penstock::simulation {
namespace {

// Where the UDP header begins; 0: there is none.
std::size_t udp_at(Bytes packet) {
  if (packet.size() < ethernet_header + ipv4_header + udp_header) return 0;
  const std::uint16_t ethertype = load_be16(&packet[ethertype_at]);
  if (ethertype == ethertype_ipv4 && load_u8(&packet[ethernet_header + 9]) == protocol_udp)
    return ethernet_header + ipv4_header;
  const bool is_long = packet.size() >= ethernet_header + ipv6_header + udp_header;
  if (ethertype == ethertype_ipv6 && is_long &&
      load_u8(&packet[ethernet_header + 6]) == protocol_udp)
    return ethernet_header + ipv6_header;
  return 0;
}

}  // namespace

std::uint16_t port_of(Bytes packet, PortField field) {
  const std::size_t udp = udp_at(packet);
  return udp == 0 ? std::uint16_t{0} : load_be16(&packet[udp + static_cast<std::size_t>(field)]);
}

void set_port(MutableBytes packet, PortField field, std::uint16_t port) {
  const std::size_t udp = udp_at(packet);
  if (udp == 0) return;
  store_be16(&packet[udp + static_cast<std::size_t>(field)], port);
  store_be16(&packet[udp + 6], 0);
  finish_udp6_checksum(packet);
}

void Nat::leaves(MutableBytes packet) const {
  if (outside != 0 && port_of(packet, PortField::source) == inside)
    set_port(packet, PortField::source, outside);
}

bool Nat::arrives(MutableBytes packet) const {
  const std::uint16_t port = port_of(packet, PortField::destination);
  if (outside == 0 || port == 0 || port == inside) return true;
  if (port != outside) return false;
  set_port(packet, PortField::destination, inside);
  return true;
}

}  // namespace penstock::simulation
