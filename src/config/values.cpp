#include "values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace penstock::config {
namespace {

using namespace std::chrono_literals;

constexpr std::array units{
    std::pair{std::string_view{"us"}, Time{1us}}, std::pair{std::string_view{"ms"}, Time{1ms}},
    std::pair{std::string_view{"s"}, Time{1s}},   std::pair{std::string_view{"min"}, Time{1min}},
    std::pair{std::string_view{"h"}, Time{1h}},
};

constexpr std::array sizes{
    std::pair{std::string_view{"kB"}, std::uint64_t{1'000}},
    std::pair{std::string_view{"MB"}, std::uint64_t{1'000'000}},
    std::pair{std::string_view{"GB"}, std::uint64_t{1'000'000'000}},
    std::pair{std::string_view{"TB"}, std::uint64_t{1'000'000'000'000}},
    std::pair{std::string_view{"KiB"}, std::uint64_t{1} << 10},
    std::pair{std::string_view{"MiB"}, std::uint64_t{1} << 20},
    std::pair{std::string_view{"GiB"}, std::uint64_t{1} << 30},
    std::pair{std::string_view{"TiB"}, std::uint64_t{1} << 40},
};

constexpr std::array rates{
    std::pair{std::string_view{"bit"}, Rate{1, Rate::Unit::bits}},
    std::pair{std::string_view{"kbit"}, Rate{1'000, Rate::Unit::bits}},
    std::pair{std::string_view{"Mbit"}, Rate{1'000'000, Rate::Unit::bits}},
    std::pair{std::string_view{"Gbit"}, Rate{1'000'000'000, Rate::Unit::bits}},
    std::pair{std::string_view{"fps"}, Rate{1, Rate::Unit::frames}},
};

constexpr std::size_t max_host_name = 253;  // RFC 1035 section 2.3.4, without the root's dot
constexpr std::size_t max_label = 63;

constexpr std::size_t max_interface_name = 15;  // IFNAMSIZ without its terminator

constexpr bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_interface_name(std::string_view text) {
  return !text.empty() && text.size() <= max_interface_name && text != "." && text != ".." &&
         std::ranges::none_of(text, [](char c) { return c == '/' || c == ':' || c == ' '; });
}

}  // namespace

std::optional<Time> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  const auto unit = std::ranges::find(units, std::string_view{end, last},
                                      [](const auto& row) { return row.first; });
  if (unit == units.end() || number > Time::max() / unit->second) return std::nullopt;
  return number * unit->second;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  std::uint64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc{}) return std::nullopt;
  const auto unit = std::ranges::find(sizes, std::string_view{end, last},
                                      [](const auto& row) { return row.first; });
  if (unit == sizes.end() || number > std::numeric_limits<std::uint64_t>::max() / unit->second)
    return std::nullopt;
  return number * unit->second;
}

std::optional<Rate> parse_rate(std::string_view text) {
  std::uint64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc{}) return std::nullopt;
  const auto row = std::ranges::find(rates, std::string_view{end, last},
                                     [](const auto& rate) { return rate.first; });
  if (row == rates.end()) return std::nullopt;
  const Rate& unit = row->second;
  if (number > std::numeric_limits<std::uint64_t>::max() / unit.per_second) return std::nullopt;
  return Rate{number * unit.per_second, unit.unit};
}

std::string rate_text(const Rate& rate) {
  auto row = rate.unit == Rate::Unit::bits ? rates.begin() : rates.end() - 1;
  for (auto larger = row + 1; larger != rates.end(); ++larger) {
    const Rate& unit = larger->second;
    if (unit.unit == rate.unit && rate.per_second >= unit.per_second &&
        rate.per_second % unit.per_second == 0)
      row = larger;
  }
  return fmt::format("{}{}", rate.per_second / row->second.per_second, row->first);
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > max_host_name) return false;
  bool has_letter = false;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.size() > max_label || label.front() == '-' || label.back() == '-' ||
        !std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; }))
      return false;
    has_letter = std::ranges::any_of(label, [](char c) { return c < '0' || c > '9'; });
    if (dot == text.npos) return has_letter;
    text.remove_prefix(dot + 1);
  }
}

std::string duration_text(Time duration) {
  auto unit = units.begin();
  for (auto larger = unit + 1; larger != units.end(); ++larger) {
    if (duration >= larger->second && duration % larger->second == 0ns) unit = larger;
  }
  return fmt::format("{}{}", duration / unit->second, unit->first);
}

std::optional<std::string> parse_site_name(std::string_view text) {
  const auto may_follow = [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
  };
  if (text.empty() || text.size() > limits::max_site_name || !is_letter_or_digit(text.front()) ||
      !std::ranges::all_of(text, may_follow)) {
    return std::nullopt;
  }
  return std::string{text};
}

std::optional<PortConfig> parse_device(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  const std::string_view kind = text.substr(0, colon);
  const std::string_view device = text.substr(colon + 1);
  if (kind == "af_packet" && is_interface_name(device)) {
    return PortConfig{.kind = PortConfig::Kind::af_packet, .device = std::string{device}};
  }
  if (kind == "ethdev" && !device.empty()) {
    return PortConfig{.kind = PortConfig::Kind::ethdev, .device = std::string{device}};
  }
  return std::nullopt;
}

std::optional<IdleMode> parse_idle(std::string_view text) {
  if (text == "backoff") return IdleMode::backoff;
  if (text == "spin") return IdleMode::spin;
  return std::nullopt;
}

std::optional<log::Level> parse_log_level(std::string_view text) {
  log::Level level{};
  if (!log::parse_level(text, level)) return std::nullopt;
  return level;
}

std::optional<ShapeMode> parse_shape_mode(std::string_view text) {
  for (const ShapeMode mode : {ShapeMode::burst, ShapeMode::constant, ShapeMode::quantized}) {
    if (text == to_string(mode)) return mode;
  }
  return std::nullopt;
}

std::optional<PriorityBy> parse_priority(std::string_view text) {
  if (text == "none") return PriorityBy::none;
  if (text == "dscp") return PriorityBy::dscp;
  if (text == "vlan") return PriorityBy::vlan;
  return std::nullopt;
}

bool is_host_address(const IpAddress& address) {
  static const std::array v4_others{*parse_prefix("0.0.0.0/8"), *parse_prefix("127.0.0.0/8"),
                                    *parse_prefix("224.0.0.0/4"),
                                    *parse_prefix("255.255.255.255/32")};
  static const std::array v6_others{*parse_prefix("::/127"), *parse_prefix("ff00::/8"),
                                    *parse_prefix("::ffff:0:0/96")};
  const auto holds = [&](const IpPrefix& prefix) { return prefix.contains(address); };
  return std::ranges::none_of(v4_others, holds) && std::ranges::none_of(v6_others, holds);
}

bool is_host_in(const IpPrefix& prefix) {
  if (prefix.address.version == IpVersion::v6 || prefix.length >= 31) return true;
  const std::uint32_t host_mask = prefix.length == 0 ? ~0u : ~0u >> prefix.length;
  const std::uint32_t host = load_be32(prefix.address.bytes.data()) & host_mask;
  return host != 0 && host != host_mask;
}

}  // namespace penstock::config
