// Socket addresses as spiped writes them, and where a pipe connects to: a list of addresses that
// may be replaced while connections are made (a host's name is looked up again from time to
// time).
#pragma once

#include <sys/socket.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "penstock/base/error.hpp"

namespace penstock::controlplane::pipe {

// A kernel's socket address of any family that pipes know (IPv4, IPv6, Unix).
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};
// "[192.0.2.1]:80", "[2001:db8::1]:80", "/run/socket"
[[nodiscard]] std::string to_string(const SocketAddress& address);

struct HostName {
  std::string host;
  std::string service;  // a port's number or name
};
// host:port, [IPv4]:port, [IPv6]:port, /unix/path: as spiped's sock_resolve takes them.
using Endpoint = std::variant<SocketAddress, HostName>;
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
// The same where the port may be left out, or 0: what connections are made from.
[[nodiscard]] Result<Endpoint> parse_bind_address(std::string_view text);
// A name that is but an address in figures needs nobody to look it up: its addresses, else
// nothing.
[[nodiscard]] std::vector<SocketAddress> numeric_addresses(const HostName& name);
// Nothing where it is neither IPv4 nor IPv6.
[[nodiscard]] std::optional<SocketAddress> socket_address(const sockaddr_storage& ip);

// Where to connect to, tried in order. Any thread.
class Targets {
 public:
  using List = std::shared_ptr<const std::vector<SocketAddress>>;
  [[nodiscard]] List get() const {
    const std::scoped_lock lock{mutex_};
    return list_;
  }
  void replace(std::vector<SocketAddress> list) {
    auto fresh = std::make_shared<const std::vector<SocketAddress>>(std::move(list));
    const std::scoped_lock lock{mutex_};
    list_ = std::move(fresh);
  }

 private:
  mutable std::mutex mutex_;
  List list_ = std::make_shared<const std::vector<SocketAddress>>();
};

}  // namespace penstock::controlplane::pipe
