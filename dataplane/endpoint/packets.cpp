#include "dataplane/endpoint/packets.hpp"

#include "dataplane/endpoint/arp.hpp"
#include "dataplane/endpoint/neighbour_discovery.hpp"

namespace penstock::dataplane::endpoint {
namespace {

bool is_v4(const WireIdentity& self) { return self.endpoint.address.version == IpVersion::v4; }

}  // namespace

std::optional<Neighbour> read_neighbour(Bytes packet, const WireIdentity& self) {
  return is_v4(self) ? read_arp(packet, self) : read_discovery(packet, self);
}

Packet answer_neighbour(const Neighbour& who, const WireIdentity& self) {
  return is_v4(self) ? answer_arp(who, self) : answer_discovery(who, self);
}

Packet ask_neighbour(const IpAddress& address, const WireIdentity& self) {
  return is_v4(self) ? ask_arp(address, self) : ask_discovery(address, self);
}

}  // namespace penstock::dataplane::endpoint
