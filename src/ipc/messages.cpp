#include "penstock/ipc/messages.hpp"

namespace penstock::ipc {

WireEndpoint to_wire(const Endpoint& endpoint) {
  return {.address = endpoint.address.bytes,
          .port = endpoint.port,
          .ip_version = static_cast<std::uint8_t>(endpoint.address.version)};
}

Endpoint from_wire(const WireEndpoint& endpoint) {
  const Bytes bytes{endpoint.address};
  const bool is_v6 = endpoint.ip_version == static_cast<std::uint8_t>(IpVersion::v6);
  return {.address = IpAddress::from(is_v6 ? bytes : bytes.first(4)), .port = endpoint.port};
}

}  // namespace penstock::ipc
