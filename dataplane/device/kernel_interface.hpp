// What the kernel says about one of its network interfaces.
#pragma once

#include <cstdint>
#include <string>

#include "penstock/base/address.hpp"
#include "penstock/base/error.hpp"

namespace penstock::dataplane {

struct KernelInterface {
  std::string name;
  int index = 0;
  MacAddress mac;
  std::uint16_t mtu = 0;
  bool up = false;  // administratively
};

// Refuses what does not exist or is not Ethernet.
[[nodiscard]] Result<KernelInterface> find_interface(const std::string& name);

[[nodiscard]] Result<void> bring_up(const KernelInterface& interface);

}  // namespace penstock::dataplane
