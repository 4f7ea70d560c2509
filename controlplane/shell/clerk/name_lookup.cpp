#include "controlplane/shell/clerk/name_lookup.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

#include "penstock/base/confine.hpp"
#include "penstock/base/log.hpp"
#include "penstock/base/unique_fd.hpp"

namespace penstock::controlplane::clerk {
namespace {

IpAddress address_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return IpAddress::from(std::as_bytes(std::span{&in.sin_addr, 1}));
  }
  sockaddr_in6 in{};
  std::memcpy(&in, address, sizeof in);
  return IpAddress::from(std::as_bytes(std::span{&in.sin6_addr, 1}));
}

[[noreturn]] void ask(const std::string& host, IpVersion version, int result) {
  const addrinfo wanted{.ai_flags = 0,
                        .ai_family = version == IpVersion::v4 ? AF_INET : AF_INET6,
                        .ai_socktype = SOCK_DGRAM,
                        .ai_protocol = 0,
                        .ai_addrlen = 0,
                        .ai_addr = nullptr,
                        .ai_canonname = nullptr,
                        .ai_next = nullptr};
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &wanted, &found) == 0) {
    const IpAddress address = address_of(found->ai_addr);
    const Bytes bytes = address.view();
    if (::write(result, bytes.data(), bytes.size()) < 0) ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

// Files one by one, where a folder may hold keys as well. One that is a link gives what it names.
Result<void> keep_to_names() {
  constexpr std::array<std::string_view, 23> readable{
      "/etc/nsswitch.conf",
      "/etc/resolv.conf",
      "/etc/hosts",
      "/etc/host.conf",
      "/etc/gai.conf",
      "/etc/services",
      "/etc/protocols",
      "/etc/networks",
      "/etc/hostname",
      "/etc/machine-id",
      "/etc/mdns.allow",
      "/etc/ld.so.cache",
      "/etc/ld.so.preload",
      "/usr",
      "/lib",
      "/lib32",
      "/lib64",
      "/nix/store",
      "/run/nscd",
      "/var/run/nscd",
      "/var/cache/nscd",
      "/run/systemd/resolve",
      "/var/lib/extrausers",
  };
  Confinement names{
      .capabilities = {}, .paths = {}, .calls = {}, .may_reach_abstract_sockets = true};
  for (const std::string_view path : readable)
    names.paths.push_back({path, AllowedPath::Access::read, "names are asked by it"});
  return confine_child(names);
}

std::optional<IpAddress> look_up(const std::string& host, IpVersion version, int channel,
                                 std::chrono::seconds bound) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const UniqueFd from{ends[0]};
  UniqueFd to{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    ::alarm(static_cast<unsigned>(bound.count()));  // nobody catches it: the end
    ::close(channel);
    if (const auto kept = keep_to_names(); !kept) {
      log::error("no name is looked up: " + kept.error().message);
      ::_exit(1);
    }
    ask(host, version, to.get());
  }
  to.reset();
  std::array<std::byte, 16> bytes{};
  ssize_t size = 0;
  do {
    size = ::read(from.get(), bytes.data(), bytes.size());
  } while (size < 0 && errno == EINTR);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
  if (size != (version == IpVersion::v4 ? 4 : 16)) return std::nullopt;
  return IpAddress::from(Bytes{bytes}.first(static_cast<std::size_t>(size)));
}

}  // namespace penstock::controlplane::clerk
