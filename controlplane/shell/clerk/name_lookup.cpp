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

std::optional<IpAddress> look_up(const std::string& host, IpVersion version,
                                 std::chrono::seconds bound) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const UniqueFd from{ends[0]};
  UniqueFd to{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    ::alarm(static_cast<unsigned>(bound.count()));  // nobody catches it: the end
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
