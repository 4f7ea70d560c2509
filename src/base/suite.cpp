#include "penstock/base/suite.hpp"

#include <algorithm>

namespace penstock {
namespace {

template <class Predicate>
std::optional<Suite> find_suite(Predicate is_it) {
  for (const KeyExchangeTraits& exchange : key_exchanges) {
    for (const ProtectionTraits& row : protections) {
      const Suite suite{.key_exchange = exchange.key_exchange, .protection = row.protection};
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
  std::string text{to_string(suite.key_exchange)};
  text += '-';
  text += to_string(suite.protection);
  return text;
}

std::string_view to_string(KeyExchange key_exchange) {
  const auto* const row =
      std::ranges::find(key_exchanges, key_exchange, &KeyExchangeTraits::key_exchange);
  return row != key_exchanges.end() ? row->name : "unknown";
}

std::string_view to_string(Protection protection) {
  const auto* const row = std::ranges::find(protections, protection, &ProtectionTraits::protection);
  return row != protections.end() ? row->name : "unknown";
}

}  // namespace penstock
