#include "controlplane/pipe/targets.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

#include <fmt/format.h>

namespace penstock::controlplane::pipe {
namespace {

template <class Address>
SocketAddress wrap(const Address& address, socklen_t size = sizeof(Address)) {
  SocketAddress wrapped{.storage = {}, .size = size};
  std::memcpy(&wrapped.storage, &address, sizeof address);
  return wrapped;
}

Result<Endpoint> unix_address(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorKind::config, fmt::format("the socket path {} is too long: it may have {} "
                                               "bytes",
                                               path, sizeof address.sun_path - 1));
  std::ranges::copy(path, address.sun_path);
  return wrap(address, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1));
}

// spiped's way with numbers: blanks and a plus sign in front are none of its business.
std::optional<std::uint16_t> port_of(std::string_view text, std::uint16_t least) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port < least) return std::nullopt;
  return port;
}

// `host` without its brackets.
Result<Endpoint> ip_address(std::string_view host, std::uint16_t port) {
  const std::string text{host};
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) return wrap(six);
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) return wrap(four);
  return fail(
      ErrorKind::config,
      fmt::format("[{}] is no IP address: in brackets stands one, as in [192.0.2.1]:80", host));
}

Result<Endpoint> parse(std::string_view text, std::uint16_t least_port) {
  if (text.starts_with('/')) return unix_address(text);
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos)
    return fail(ErrorKind::config,
                fmt::format("\"{}\" has no port: write host:port, [address]:port "
                            "or the /path of a Unix socket",
                            text));
  const std::string_view host = text.substr(0, colon);
  const std::string_view service = text.substr(colon + 1);
  if (!host.starts_with('[')) return HostName{std::string{host}, std::string{service}};
  if (!host.ends_with(']') || host.size() < 2)
    return fail(ErrorKind::config,
                fmt::format("\"{}\" lacks its closing bracket: write [address]:port", text));
  const auto port = port_of(service, least_port);
  if (!port)
    return fail(ErrorKind::config,
                fmt::format("\"{}\" is no port: write a number from 1 to 65535", service));
  return ip_address(host.substr(1, host.size() - 2), *port);
}

}  // namespace

std::string to_string(const SocketAddress& address) {
  if (address.family() == AF_UNIX) {
    sockaddr_un path{};
    std::memcpy(&path, &address.storage, sizeof path);
    return path.sun_path;
  }
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (address.family() == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address.storage, sizeof in);
    ::inet_ntop(AF_INET, &in.sin_addr, host.data(), host.size());
    return fmt::format("[{}]:{}", host.data(), ntohs(in.sin_port));
  }
  sockaddr_in6 in{};
  std::memcpy(&in, &address.storage, sizeof in);
  ::inet_ntop(AF_INET6, &in.sin6_addr, host.data(), host.size());
  return fmt::format("[{}]:{}", host.data(), ntohs(in.sin6_port));
}

std::optional<SocketAddress> socket_address(const sockaddr_storage& ip) {
  if (ip.ss_family == AF_INET) return SocketAddress{.storage = ip, .size = sizeof(sockaddr_in)};
  if (ip.ss_family == AF_INET6) return SocketAddress{.storage = ip, .size = sizeof(sockaddr_in6)};
  return std::nullopt;
}

Result<Endpoint> parse_endpoint(std::string_view text) { return parse(text, 1); }

Result<Endpoint> parse_bind_address(std::string_view text) {
  if (text.starts_with('/')) return unix_address(text);
  const auto colons = std::ranges::count(text, ':');
  if (text.ends_with(']') || colons == 0) return parse(std::string{text} + ":0", 0);
  if (colons > 1 && !text.starts_with('[')) return parse(fmt::format("[{}]:0", text), 0);
  return parse(text, 0);
}

std::vector<SocketAddress> numeric_addresses(const HostName& name) {
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<SocketAddress> addresses;
  if (::getaddrinfo(name.host.c_str(), name.service.c_str(), &wanted, &found) != 0)
    return addresses;
  for (const addrinfo* next = found; next != nullptr; next = next->ai_next) {
    SocketAddress address{.storage = {}, .size = next->ai_addrlen};
    std::memcpy(&address.storage, next->ai_addr, next->ai_addrlen);
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace penstock::controlplane::pipe
