// Keeps the kernel's own network stack off the interfaces that a site owns: it must neither
// answer on them nor forward in clear. In force while the object lives; its end takes the
// filter away and puts IPv6 back as it was.
#pragma once

#include <string>
#include <vector>

#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::dataplane {

class KernelShutoff {
 public:
  // Locks the site's kernel interfaces against a second Penstock, refuses those on which the
  // kernel holds an address, turns IPv6 off, loads the filter (kernel_filter.hpp) and brings
  // them up. Does nothing for ports without a kernel interface. Call before open_port().
  [[nodiscard]] static Result<KernelShutoff> start(const SiteConfig& config);
  KernelShutoff(KernelShutoff&& other) noexcept;
  KernelShutoff& operator=(KernelShutoff&&) = delete;
  ~KernelShutoff();

 private:
  struct Ipv6Switch {
    std::string path;
    std::string before;
  };

  KernelShutoff() = default;
  [[nodiscard]] Result<void> take(const std::string& name);
  [[nodiscard]] Result<void> turn_ipv6_off(const std::string& name);

  std::vector<UniqueFd> locks_;
  std::vector<Ipv6Switch> ipv6_;
  std::string table_;  // empty: no filter is loaded
};

[[nodiscard]] inline Result<KernelShutoff> shut_off_kernel(const SiteConfig& config) {
  return KernelShutoff::start(config);
}

}  // namespace penstock::dataplane
