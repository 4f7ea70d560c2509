// DPDK's devargs: a device's name or PCI address, then comma-separated arguments.
#pragma once

#include <string>

namespace penstock::dataplane {

[[nodiscard]] bool is_pci(const std::string& devargs);

// The name under which DPDK knows the device; a PCI address gets its domain.
[[nodiscard]] std::string device_name(const std::string& devargs);

}  // namespace penstock::dataplane
