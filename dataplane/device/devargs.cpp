#include "dataplane/device/devargs.hpp"

#include <array>

#include <rte_pci.h>

namespace penstock::dataplane {
namespace {

bool parse_pci(const std::string& devargs, rte_pci_addr& address) {
  return rte_pci_addr_parse(devargs.substr(0, devargs.find(',')).c_str(), &address) == 0;
}

}  // namespace

bool is_pci(const std::string& devargs) {
  rte_pci_addr address;
  return parse_pci(devargs, address);
}

std::string device_name(const std::string& devargs) {
  rte_pci_addr address;
  if (!parse_pci(devargs, address)) return devargs.substr(0, devargs.find(','));
  std::array<char, PCI_PRI_STR_SIZE> name{};
  rte_pci_device_name(&address, name.data(), name.size());
  return name.data();
}

}  // namespace penstock::dataplane
