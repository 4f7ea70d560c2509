// How the values of a config file are written: each function takes the text of one value
// and is empty when it is not one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "penstock/base/clock.hpp"
#include "penstock/config/site_config.hpp"

namespace penstock::config {

// A whole number and its unit: us, ms, s, min or h ("20us", "120s").
[[nodiscard]] std::optional<Time> parse_duration(std::string_view text);
// A whole number of microseconds in the largest unit that keeps it whole.
[[nodiscard]] std::string duration_text(Time duration);

// A whole number and its unit: kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);

// A whole number and its unit: bit, kbit, Mbit or Gbit a second (powers of 1000), or fps.
[[nodiscard]] std::optional<Rate> parse_rate(std::string_view text);
// In the largest unit that keeps it whole.
[[nodiscard]] std::string rate_text(const Rate& rate);

// A host's name by RFC 1123: labels of letters, digits and '-', at most 253 characters, and a
// letter somewhere in the last one, so that it is no mistyped address.
[[nodiscard]] bool is_host_name(std::string_view text);

// A site's name: letters, digits, '-', '_' and '.', the first a letter or digit, at most
// limits::max_site_name. It stands in paths and goes into the key derivation.
[[nodiscard]] std::optional<std::string> parse_site_name(std::string_view text);

// "af_packet:INTERFACE" or "ethdev:DEVARGS".
[[nodiscard]] std::optional<PortConfig> parse_device(std::string_view text);

[[nodiscard]] std::optional<IdleMode> parse_idle(std::string_view text);
[[nodiscard]] std::optional<log::Level> parse_log_level(std::string_view text);
[[nodiscard]] std::optional<ShapeMode> parse_shape_mode(std::string_view text);
[[nodiscard]] std::optional<PriorityBy> parse_priority(std::string_view text);

// An address one host may have: not unspecified, loopback, multicast or broadcast.
[[nodiscard]] bool is_host_address(const IpAddress& address);
// Its host part names a host, not the network itself or its broadcast address (RFC 3021
// frees /31, and /32 has no host part; version 6 has no broadcast).
[[nodiscard]] bool is_host_in(const IpPrefix& prefix);

}  // namespace penstock::config
