#include "dataplane/device/kernel_interface.hpp"

#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "penstock/base/unique_fd.hpp"

namespace penstock::dataplane {
namespace {

// One ioctl about one interface, on a socket that lives as long as the request.
class InterfaceRequest {
 public:
  explicit InterfaceRequest(const std::string& name)
      : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    name.copy(request_.ifr_name, sizeof request_.ifr_name - 1);
  }
  [[nodiscard]] bool ask(unsigned long what) { return ioctl(socket_.get(), what, &request_) == 0; }
  ifreq* operator->() { return &request_; }

 private:
  UniqueFd socket_;
  ifreq request_{};
};

std::unexpected<Error> refused(const std::string& name) {
  if (errno == ENODEV)
    return fail(
        ErrorKind::missing,
        fmt::format("there is no network interface {}: `ip link` lists those there are", name));
  return fail_errno(fmt::format("cannot look at interface {}", name), errno);
}

}  // namespace

Result<KernelInterface> find_interface(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ)
    return fail(ErrorKind::missing, fmt::format("\"{}\" is no name of a network interface", name));
  KernelInterface interface{.name = name};
  InterfaceRequest request{name};
  if (!request.ask(SIOCGIFINDEX)) return refused(name);
  interface.index = request->ifr_ifindex;
  if (!request.ask(SIOCGIFHWADDR)) return refused(name);
  if (request->ifr_hwaddr.sa_family != ARPHRD_ETHER)
    return fail(ErrorKind::config,
                fmt::format("interface {} is not an Ethernet interface: choose another", name));
  std::memcpy(interface.mac.bytes.data(), request->ifr_hwaddr.sa_data, interface.mac.bytes.size());
  if (!request.ask(SIOCGIFMTU)) return refused(name);
  interface.mtu = static_cast<std::uint16_t>(std::clamp(request->ifr_mtu, 0, 65535));
  if (!request.ask(SIOCGIFFLAGS)) return refused(name);
  interface.up = (request->ifr_flags & IFF_UP) != 0;
  return interface;
}

Result<void> bring_up(const KernelInterface& interface) {
  InterfaceRequest request{interface.name};
  if (!request.ask(SIOCGIFFLAGS)) return refused(interface.name);
  request->ifr_flags = static_cast<short>(request->ifr_flags | IFF_UP);
  if (!request.ask(SIOCSIFFLAGS))
    return fail_errno(fmt::format("cannot bring interface {} up", interface.name), errno);
  return {};
}

}  // namespace penstock::dataplane
