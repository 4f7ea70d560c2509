#include "controlplane/cli/amounts.hpp"

#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace penstock::cli {

std::string scaled(double value, std::string_view unit) {
  constexpr std::array prefixes{"", "k", "M", "G", "T", "P", "E"};
  std::size_t power = 0;
  while (value >= 999.5 && power + 1 < prefixes.size()) {
    value /= 1000;
    ++power;
  }
  const int digits = power == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  const std::string scaled_unit = prefixes[power] + std::string{unit};
  return fmt::format("{:.{}f}{}{}", value, digits, scaled_unit.empty() ? "" : " ", scaled_unit);
}

std::string duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < 120) return fmt::format("{} s", whole);
  if (whole < 7200) return fmt::format("{} min", whole / 60);
  if (whole < 172800) return fmt::format("{} h", whole / 3600);
  return fmt::format("{} d", whole / 86400);
}

std::string delay(double seconds) {
  if (seconds < 0.9995e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  const int digits = seconds < 9.95e-3 ? 1 : 0;
  return fmt::format("{:.{}f} ms", seconds * 1e3, digits);
}

std::string percent(double share) {
  const int digits = share > 0 && share < 0.001 ? 3 : 1;
  return fmt::format("{:.{}f} %", share * 100, digits);
}

}  // namespace penstock::cli
