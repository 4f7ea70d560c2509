// Opens the ports that the config names.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "penstock/base/error.hpp"
#include "penstock/config/site_config.hpp"

#include "dataplane/device/port.hpp"

struct rte_mempool;

namespace penstock::dataplane {

// The plain port is promiscuous and, on a kernel interface, exchanges packets whose checksums
// and segmentation are unfinished. The wire port takes whole packets of at most its MTU.
enum class PortSide : std::uint8_t { plain, wire };

struct PortSetup {
  PortSide side{};
  unsigned workers = 1;        // that want a queue each
  std::uint16_t udp_port = 0;  // of the wire: where frames come in
  unsigned handed_over = 0;    // packets that each may have on the way to one that sends for it
  // Where an ethdev's queue of each worker receives to; as many as workers.
  std::span<rte_mempool* const> rx_pools;
};

// Call after Eal::start() and KernelKeeper::shut_off(). Pools and the EAL must outlive the port. A
// port with fewer queues than workers says so in queue_count().
[[nodiscard]] Result<std::unique_ptr<Port>> open_port(const PortConfig& config,
                                                      const PortSetup& setup);

// What the EAL must probe for the site's ethdev ports, the plain port's first.
[[nodiscard]] std::vector<std::string> devargs_of(const SiteConfig& config);

}  // namespace penstock::dataplane
