// Keeps the kernel's own network stack off the interfaces that a site owns: it must neither
// answer on them nor forward in clear. In force while the object lives; what it changed is
// put back when it dies.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::dataplane {

// The mark (SO_MARK) on what our packet sockets send; the filter lets nothing else out.
inline constexpr std::uint32_t packet_mark = 0x70656e73;

class KernelShutoff {
 public:
  KernelShutoff(KernelShutoff&&) noexcept = default;
  KernelShutoff& operator=(KernelShutoff&&) = delete;
  ~KernelShutoff();

 private:
  friend Result<KernelShutoff> shut_off_kernel(const SiteConfig& config);
  KernelShutoff() = default;

  struct SavedSysctl {
    std::string path;
    std::string value;
  };
  std::vector<UniqueFd> locks_;  // one an interface: a second Penstock is refused
  std::vector<SavedSysctl> saved_;
  std::string table_;  // empty: no filter is loaded
};

// Locks the site's kernel interfaces against a second Penstock, refuses those on which the
// kernel holds an address, turns IPv6 off, loads the filter and brings them up. Does nothing
// for ports without a kernel interface. Call before open_port().
[[nodiscard]] Result<KernelShutoff> shut_off_kernel(const SiteConfig& config);

}  // namespace penstock::dataplane
