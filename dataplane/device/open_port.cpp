#include "dataplane/device/open_port.hpp"

#include "dataplane/device/af_packet_port.hpp"
#include "dataplane/device/ethdev_port.hpp"

namespace penstock::dataplane {

Result<std::unique_ptr<Port>> open_port(const PortConfig& config, const PortSetup& setup) {
  if (config.kind == PortConfig::Kind::ethdev) return EthdevPort::open(config, setup);
  return AfPacketPort::open(config, setup);
}

std::vector<std::string> devargs_of(const SiteConfig& config) {
  std::vector<std::string> devargs;
  for (const auto* port : {&config.plain, &config.wire.port})
    if (port->kind == PortConfig::Kind::ethdev) devargs.push_back(port->device);
  return devargs;
}

}  // namespace penstock::dataplane
