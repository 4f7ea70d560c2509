#include "penstock/base/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

// A whole decimal number without sign, blanks or leading zeros.
std::optional<unsigned> parse_number(std::string_view text, unsigned largest) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > largest) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_number(text, 65535);
  if (!port || *port == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

int family(IpVersion version) { return version == IpVersion::v4 ? AF_INET : AF_INET6; }

}  // namespace

IpAddress IpAddress::from(Bytes network_order) {
  check(network_order.size() == 4 || network_order.size() == 16, "an IP address has 4 or 16 bytes");
  IpAddress address{.version = network_order.size() == 4 ? IpVersion::v4 : IpVersion::v6};
  std::ranges::copy(network_order, address.bytes.begin());
  return address;
}

bool IpPrefix::contains(const IpAddress& other) const {
  if (other.version != address.version) return false;
  for (unsigned bit = 0; bit < length; bit += 8) {
    const unsigned wanted = std::min(8u, length - bit);
    const auto mask = static_cast<std::byte>(0xff00u >> wanted);
    if (((address.bytes[bit / 8] ^ other.bytes[bit / 8]) & mask) != std::byte{0}) return false;
  }
  return true;
}

std::string to_string(const MacAddress& mac) {
  std::string text;
  for (const std::byte byte : mac.bytes) {
    if (!text.empty()) text += ':';
    text += to_hex(Bytes{&byte, 1});
  }
  return text;
}

std::string to_string(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family(address.version), address.bytes.data(), text.data(),
              static_cast<socklen_t>(text.size()));
  return text.data();
}

std::string to_string(const IpPrefix& prefix) {
  return fmt::format("{}/{}", to_string(prefix.address), prefix.length);
}

std::string to_string(const Endpoint& endpoint) {
  const std::string address = to_string(endpoint.address);
  return endpoint.address.version == IpVersion::v4 ? fmt::format("{}:{}", address, endpoint.port)
                                                   : fmt::format("[{}]:{}", address, endpoint.port);
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.find('\0') != text.npos) return std::nullopt;
  const std::string terminated{text};
  IpAddress address;
  address.version = text.find(':') == text.npos ? IpVersion::v4 : IpVersion::v6;
  if (::inet_pton(family(address.version), terminated.c_str(), address.bytes.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

std::optional<IpPrefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned longest = address->version == IpVersion::v4 ? 32 : 128;
  const auto length = parse_number(text.substr(slash + 1), longest);
  if (!length) return std::nullopt;
  return IpPrefix{.address = *address, .length = static_cast<std::uint8_t>(*length)};
}

std::optional<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  // A version 6 address with a port stands in brackets; without a port it may.
  if (const auto address = parse_ip(text))
    return Endpoint{.address = *address, .port = default_port};
  std::size_t end_of_address = text.rfind(':');
  const bool in_brackets = text.starts_with('[');
  if (in_brackets) {
    const std::size_t closing = text.find(']');
    if (closing == text.npos) return std::nullopt;
    end_of_address = closing + 1;
  }
  if (end_of_address == text.npos) return std::nullopt;
  const auto address =
      parse_ip(in_brackets ? text.substr(1, end_of_address - 2) : text.substr(0, end_of_address));
  if (!address || in_brackets != (address->version == IpVersion::v6)) return std::nullopt;
  if (end_of_address == text.size()) return Endpoint{.address = *address, .port = default_port};
  if (text[end_of_address] != ':') return std::nullopt;
  const auto port = parse_port(text.substr(end_of_address + 1));
  if (!port) return std::nullopt;
  return Endpoint{.address = *address, .port = *port};
}

}  // namespace penstock
