// Any packet from the wire: a datagram that is found lies inside it, and the checksum
// agrees with a slow one.
#include "fuzz.hpp"
#include "penstock/wire/outer.hpp"

using namespace penstock;

namespace {

std::uint16_t slow_checksum(Bytes data) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < data.size(); ++at) {
    sum += std::uint32_t{load_u8(&data[at])} << (at % 2 == 0 ? 8 : 0);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes packet = fuzz::bytes(data, size);
  fuzz::require(internet_checksum(packet) == slow_checksum(packet));
  const auto udp = parse_udp(packet);
  if (!udp) return 0;
  fuzz::require(fuzz::is_inside(udp->payload, packet));
  fuzz::require(udp->payload.size() + ethernet_header + ipv4_header + udp_header <= packet.size());
  fuzz::require(udp->source.address.version == udp->destination.address.version);
  return 0;
}
