// What needs privilege, opened before anything runs: DPDK, pools, the kernel shut off, ports and
// the control socket.
#pragma once

#include <memory>
#include <vector>

#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/config/site_config.hpp"

#include "dataplane/device/eal.hpp"
#include "dataplane/device/kernel_keeper.hpp"
#include "dataplane/device/open_port.hpp"
#include "dataplane/device/pool.hpp"
#include "dataplane/topology.hpp"

namespace penstock::dataplane {

// In the order in which they are made; they die in the opposite one.
struct Opened {
  Eal eal;
  std::vector<Pool> frames;  // as Topology::frames
  Pool punts;
  KernelKeeper keeper;
  std::unique_ptr<Port> plain;
  std::unique_ptr<Port> wire;
  UniqueFd listener;
};

[[nodiscard]] Result<Opened> open_all(const SiteConfig& config, const Topology& topology);

}  // namespace penstock::dataplane
