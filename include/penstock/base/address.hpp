// Addresses of the wire: MAC, IP (version 4 or 6), prefix, endpoint.
// All bytes are in network order; text follows RFC 4291, RFC 5952 and RFC 4632.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/base/bytes.hpp"

namespace penstock {

struct MacAddress {
  std::array<std::byte, 6> bytes{};
  auto operator<=>(const MacAddress&) const = default;
};

enum class IpVersion : std::uint8_t { v4 = 4, v6 = 6 };

// A version 4 address uses the first four bytes; the others are zero.
struct IpAddress {
  IpVersion version = IpVersion::v4;
  std::array<std::byte, 16> bytes{};

  [[nodiscard]] Bytes view() const { return Bytes{bytes}.first(version == IpVersion::v4 ? 4 : 16); }
  [[nodiscard]] static IpAddress from(Bytes network_order);  // 4 or 16 bytes
  auto operator<=>(const IpAddress&) const = default;
};

// An address together with the length of its on-link prefix, in bits.
struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 0;

  [[nodiscard]] bool contains(const IpAddress& other) const;
  auto operator<=>(const IpPrefix&) const = default;
};

// Where a site listens: an IP address and a UDP port (host order).
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

[[nodiscard]] std::string to_string(const MacAddress& mac);
[[nodiscard]] std::string to_string(const IpAddress& address);
[[nodiscard]] std::string to_string(const IpPrefix& prefix);
[[nodiscard]] std::string to_string(
    const Endpoint& endpoint);  // "192.0.2.1:7670", "[2001:db8::1]:7670"

[[nodiscard]] std::optional<IpAddress> parse_ip(std::string_view text);
[[nodiscard]] std::optional<IpPrefix> parse_prefix(std::string_view text);
// The port may be left out; then `default_port` is taken.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text,
                                                     std::uint16_t default_port);

}  // namespace penstock
