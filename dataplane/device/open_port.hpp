// Opens the ports that the config names.
#pragma once

#include <cstdint>
#include <memory>
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

// Call after Eal::start() and KernelKeeper::shut_off(). `rx_pool` is where an ethdev receives to;
// it and the EAL must outlive the port. A port with fewer queues than asked for says so in
// queue_count().
[[nodiscard]] Result<std::unique_ptr<Port>> open_port(const PortConfig& config, PortSide side,
                                                      unsigned queues, rte_mempool* rx_pool);

// What the EAL must probe for the site's ethdev ports, the plain port's first.
[[nodiscard]] std::vector<std::string> devargs_of(const SiteConfig& config);

}  // namespace penstock::dataplane
