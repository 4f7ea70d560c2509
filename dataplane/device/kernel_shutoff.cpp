#include "dataplane/device/kernel_shutoff.hpp"

#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

#include "dataplane/device/kernel_interface.hpp"

namespace penstock::dataplane {
namespace {

// The kernel interface behind a port, if there is one: named in the config, or by DPDK's own
// drivers that sit on such an interface ("net_af_packet0,iface=eth1"). Those set no mark.
std::vector<FilteredInterface> kernel_interfaces(const SiteConfig& config) {
  std::vector<FilteredInterface> interfaces;
  for (const auto* port : {&config.plain, &config.wire.port}) {
    const auto& device = port->device;
    if (port->kind == PortConfig::Kind::af_packet) {
      interfaces.push_back({.name = device});
    } else if (device.starts_with("net_af_packet") || device.starts_with("net_af_xdp")) {
      constexpr std::string_view key = ",iface=";
      const auto at = device.find(key);
      if (at == std::string::npos) continue;
      const auto rest = device.substr(at + key.size());
      interfaces.push_back({.name = rest.substr(0, rest.find(',')), .marks = false});
    }
  }
  return interfaces;
}

// An abstract socket's name belongs to one holder in a network namespace, as the interface
// does, and is free again when the holder dies, however it dies.
Result<UniqueFd> lock_interface(const KernelInterface& interface) {
  UniqueFd lock{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto name = fmt::format("penstock/interface/{}", interface.index);
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (lock && bind(lock.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return lock;
  if (errno == EADDRINUSE)
    return fail(ErrorKind::busy, fmt::format("another Penstock uses interface {}: stop it, or "
                                             "choose another interface",
                                             interface.name));
  return fail_errno(fmt::format("cannot lock interface {}", interface.name), errno);
}

bool is_address_of_kernel(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr) return false;
  if (entry.ifa_addr->sa_family == AF_INET) return true;
  if (entry.ifa_addr->sa_family != AF_INET6) return false;
  sockaddr_in6 address{};
  std::memcpy(&address, entry.ifa_addr, sizeof address);
  return !IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr);
}

Result<void> refuse_addresses(const std::string& name) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return fail_errno("cannot list the kernel's addresses", errno);
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner{list, freeifaddrs};
  for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
    // A second address may go by a label, "eth1:0".
    const std::string_view label{entry->ifa_name};
    if (label.substr(0, label.find(':')) != name || !is_address_of_kernel(*entry)) continue;
    return fail(ErrorKind::busy,
                fmt::format("the kernel holds an address on interface {0} and would answer there: "
                            "clear it with `ip addr flush dev {0}`",
                            name));
  }
  return {};
}

std::string read_switch(const std::string& path) {
  std::string value;
  std::ifstream{path} >> value;
  return value;  // empty: there is none
}

bool kernel_forwards() {
  return read_switch("/proc/sys/net/ipv4/ip_forward") == "1" ||
         read_switch("/proc/sys/net/ipv6/conf/all/forwarding") == "1";
}

// Returns 0 or the errno.
int write_switch(const std::string& path, const std::string& value) {
  const UniqueFd file{open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (!file || write(file.get(), value.data(), value.size()) < 0) return errno;
  return 0;
}

}  // namespace

Result<KernelShutoff> KernelShutoff::start(const SiteConfig& config) {
  KernelShutoff shutoff;
  auto interfaces = kernel_interfaces(config);
  if (interfaces.empty()) return shutoff;
  if (interfaces.size() == 2 && interfaces[0].name == interfaces[1].name)
    return fail(ErrorKind::config, fmt::format("interface {} cannot be both the plain and the wire "
                                               "port: give each its own",
                                               interfaces[0].name));
  for (auto& interface : interfaces)
    if (auto taken = shutoff.take(interface, config.run_dir); !taken)
      return std::unexpected(taken.error());
  if (auto filtered = shutoff.filter(interfaces); !filtered)
    return std::unexpected(filtered.error());
  // Only now, so that not even the first packet meets the kernel.
  for (const auto& interface : interfaces) {
    const auto found = find_interface(interface.name);
    if (!found) return std::unexpected(found.error());
    if (found->up) continue;
    if (auto up = bring_up(*found); !up) return std::unexpected(up.error());
  }
  return shutoff;
}

Result<void> KernelShutoff::take(FilteredInterface& interface,
                                 const std::filesystem::path& run_dir) {
  const auto& name = interface.name;
  const auto found = find_interface(name);
  if (!found) return std::unexpected(found.error());
  interface.index = found->index;
  auto lock = lock_interface(*found);
  if (!lock) return std::unexpected(lock.error());
  locks_.push_back(*std::move(lock));
  if (auto free = refuse_addresses(name); !free) return free;
  return turn_ipv6_off(name, {.path = fmt::format("/proc/sys/net/ipv6/conf/{}/disable_ipv6", name),
                              .note = run_dir / fmt::format("ipv6-was-on-{}", name)});
}

Result<void> KernelShutoff::turn_ipv6_off(const std::string& name, Ipv6Switch ipv6) {
  std::error_code ignored;
  if (read_switch(ipv6.path) != "0") {  // no IPv6, or off already: by a killed run of ours?
    if (std::filesystem::exists(ipv6.note, ignored)) ipv6_.push_back(std::move(ipv6));
    return {};
  }
  std::ofstream{ipv6.note};
  const int error = write_switch(ipv6.path, "1");
  if (error == 0) {
    ipv6_.push_back(std::move(ipv6));
    return {};
  }
  std::filesystem::remove(ipv6.note, ignored);
  if (error == EACCES || error == EPERM)
    return fail(ErrorKind::permission,
                fmt::format("no permission to turn IPv6 off on interface {}: run as root or with "
                            "CAP_NET_ADMIN",
                            name));
  // /proc/sys is read-only in many containers; the filter still holds.
  log::warn(fmt::format("IPv6 stays on on interface {}: {}", name, std::strerror(error)));
  return {};
}

Result<void> KernelShutoff::filter(std::span<const FilteredInterface> interfaces) {
  const auto complaint = load_filter(interfaces);
  if (complaint.empty()) {
    filtered_.assign(interfaces.begin(), interfaces.end());
  } else if (kernel_forwards()) {
    return fail(ErrorKind::missing,
                fmt::format("the kernel forwards packets and cannot be kept from forwarding this "
                            "site's in clear ({}): `apt install nftables`, or turn forwarding off "
                            "with `sysctl net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0`",
                            complaint));
  } else {
    log::warn(fmt::format(
        "the kernel's own traffic on this site's interfaces cannot be filtered: {}", complaint));
  }
  return {};
}

KernelShutoff::KernelShutoff(KernelShutoff&& other) noexcept
    : locks_(std::exchange(other.locks_, {})),
      ipv6_(std::exchange(other.ipv6_, {})),
      filtered_(std::exchange(other.filtered_, {})) {}

KernelShutoff::~KernelShutoff() {
  remove_filter(filtered_);
  std::error_code ignored;
  for (const auto& ipv6 : ipv6_)
    if (write_switch(ipv6.path, "0") == 0) std::filesystem::remove(ipv6.note, ignored);
}

}  // namespace penstock::dataplane
