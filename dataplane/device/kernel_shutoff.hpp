// Keeps the kernel's own network stack off the interfaces that a site owns: it must neither
// answer on them nor forward in clear. In force while the object lives; its end takes the
// filter away and puts IPv6 back as it was, also as it was before a run that was killed: a note
// in run_dir remembers.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/config/site_config.hpp"

#include "dataplane/device/kernel_filter.hpp"

namespace penstock::dataplane {

class KernelShutoff {
 public:
  // Locks the site's kernel interfaces against a second Penstock, refuses those on which the
  // kernel holds an address, turns IPv6 off, loads the filter (kernel_filter.hpp) and brings
  // them up. Refuses where no filter can be had and the kernel forwards packets. Does nothing
  // for ports without a kernel interface. Call before open_port(), and once run_dir is ours.
  [[nodiscard]] static Result<KernelShutoff> start(const SiteConfig& config);
  KernelShutoff(KernelShutoff&& other) noexcept;
  KernelShutoff& operator=(KernelShutoff&&) = delete;
  ~KernelShutoff();

 private:
  struct Ipv6Switch {
    std::string path;
    std::filesystem::path note;  // exists while IPv6 is off by our doing
  };

  KernelShutoff() = default;
  [[nodiscard]] Result<void> take(FilteredInterface& interface,
                                  const std::filesystem::path& run_dir);
  [[nodiscard]] Result<void> turn_ipv6_off(const std::string& name, Ipv6Switch ipv6);
  [[nodiscard]] Result<void> filter(std::span<const FilteredInterface> interfaces);

  std::vector<UniqueFd> locks_;
  std::vector<Ipv6Switch> ipv6_;
  std::vector<FilteredInterface> filtered_;
};

}  // namespace penstock::dataplane
