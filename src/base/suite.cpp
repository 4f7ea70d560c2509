#include "penstock/base/suite.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace penstock {
namespace {

using KeyExchangeName = std::pair<KeyExchange, std::string_view>;
constexpr std::array key_exchanges{
    KeyExchangeName{KeyExchange::x25519, "X25519"},
    KeyExchangeName{KeyExchange::modp2048, "MODP2048"},
};
template <class Predicate>
std::optional<Suite> find_suite(Predicate is_it) {
  for (const auto& [key_exchange, unused] : key_exchanges) {
    for (const ProtectionTraits& row : protections) {
      const Suite suite{.key_exchange = key_exchange, .protection = row.protection};
      if (is_it(suite)) return suite;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Suite> suite_from_code(std::uint16_t code) {
  return find_suite([code](Suite suite) { return suite.code() == code; });
}

std::optional<Suite> parse_suite(std::string_view name) {
  return find_suite([name](Suite suite) { return to_string(suite) == name; });
}

std::string to_string(Suite suite) {
  const auto* const row =
      std::ranges::find(key_exchanges, suite.key_exchange, &KeyExchangeName::first);
  std::string text{row != key_exchanges.end() ? row->second : "unknown"};
  text += '-';
  text += to_string(suite.protection);
  return text;
}

std::string_view to_string(Protection protection) {
  const auto* const row = std::ranges::find(protections, protection, &ProtectionTraits::protection);
  return row != protections.end() ? row->name : "unknown";
}

}  // namespace penstock
