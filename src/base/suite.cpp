#include "penstock/base/suite.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace penstock {
namespace {

constexpr std::array key_exchanges{
    std::pair{KeyExchange::x25519, std::string_view{"X25519"}},
    std::pair{KeyExchange::modp2048, std::string_view{"MODP2048"}},
};
constexpr std::array protections{
    std::pair{Protection::aes256_ctr_sha256, std::string_view{"AES256_CTR-SHA256"}},
};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  const auto found = std::ranges::find(table, value, [](const auto& row) { return row.first; });
  return found != table.end() ? found->second : std::string_view{"unknown"};
}

}  // namespace

std::optional<Suite> suite_from_code(std::uint16_t code) {
  for (const auto& [key_exchange, unused_name] : key_exchanges) {
    for (const auto& [protection, unused] : protections) {
      const Suite suite{.key_exchange = key_exchange, .protection = protection};
      if (suite.code() == code) return suite;
    }
  }
  return std::nullopt;
}

std::optional<Suite> parse_suite(std::string_view name) {
  for (const auto& [key_exchange, unused_name] : key_exchanges) {
    for (const auto& [protection, unused] : protections) {
      const Suite suite{.key_exchange = key_exchange, .protection = protection};
      if (to_string(suite) == name) return suite;
    }
  }
  return std::nullopt;
}

std::string to_string(Suite suite) {
  std::string text{name_in(key_exchanges, suite.key_exchange)};
  text += '-';
  text += to_string(suite.protection);
  return text;
}

std::string_view to_string(Protection protection) { return name_in(protections, protection); }

}  // namespace penstock
