#include "reader.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace penstock::config {
namespace {

// How many letters must be put in, taken out or changed (Levenshtein) to turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// Keys that are often put into the wrong table, and where they belong.
struct Misplaced {
  std::string_view name;
  std::string_view path;   // the table they were found in
  std::string_view where;  // as the operator writes the right one
};
constexpr std::array misplaced{
    Misplaced{"lab", "link", "[site]"},
    Misplaced{"slow_crypto", "link", "[site]"},
    Misplaced{"suites", "site", "[[link]]"},
};

std::string suggestion(std::string_view path, std::string_view unknown, std::span<const Key> keys) {
  for (const Misplaced& row : misplaced) {
    if (row.name == unknown && row.path == path) return fmt::format("it belongs in {}", row.where);
  }
  const auto distance = [&](const Key& key) { return edit_distance(unknown, key.name); };
  const auto nearest = std::ranges::min_element(keys, {}, distance);
  if (distance(*nearest) * 2 <= nearest->name.size()) {
    return fmt::format("did you mean \"{}\"?", nearest->name);
  }
  std::string names;
  for (const Key& key : keys) names += (names.empty() ? "" : ", ") + std::string{key.name};
  return "the keys here are " + names;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

void Refusals::add(const toml::source_region& where, std::string_view key,
                   std::string_view sentence) {
  if (first_) return;
  // An empty table that nobody wrote has no line; the first line then stands for the file.
  const auto line = std::max<toml::source_index>(where.begin.line, 1);
  first_ = Error{ErrorKind::config, fmt::format("{}:{}: {}: {}", file_, line, key, sentence)};
}

Section::Section(Refusals& refusals, const toml::table& table, std::string path,
                 std::span<const Key> keys)
    : refusals_(&refusals), table_(&table), path_(std::move(path)) {
  for (const auto& [key, value] : table) {
    if (std::ranges::find(keys, key.str(), &Key::name) == keys.end()) refuse_unknown(key, keys);
  }
  for (const Key& key : keys) {
    if (key.is_required && find(key.name) == nullptr) refuse(key.name, "this key is missing");
  }
}

Section Section::section(std::string_view key, std::span<const Key> keys) const {
  static const toml::table empty_table;
  const toml::node* const node = find(key);
  const toml::table* const table = node != nullptr ? node->as_table() : nullptr;
  if (table == nullptr) refuse(key, "this must be a table");
  return Section{*refusals_, table != nullptr ? *table : empty_table,
                 path_.empty() ? std::string{key} : fmt::format("{}.{}", path_, key), keys};
}

std::optional<std::string> Section::text(std::string_view key) const {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::string>();
  if (!value) {
    refuse(key, "this must be a text in quotes");
  } else if (value->empty() || has_control_character(*value)) {
    refuse(key, "this text must not be empty and must not hold control characters");
  }
  return value;
}

std::optional<bool> Section::truth(std::string_view key) const {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<bool>();
  if (!value) refuse(key, "this must be true or false, without quotes");
  return value;
}

std::optional<std::int64_t> Section::number(std::string_view key, std::int64_t low,
                                            std::int64_t high) const {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (!value || *value < low || *value > high) {
    refuse(key, fmt::format("this must be a whole number from {} to {}", low, high));
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> Section::texts(std::string_view key) const {
  std::vector<std::string> values;
  const toml::node* const node = find(key);
  if (node == nullptr) return values;
  if (const toml::array* const array = node->as_array()) {
    for (const toml::node& element : *array) {
      if (const auto value = element.value_exact<std::string>()) values.push_back(*value);
    }
    if (!values.empty() && values.size() == array->size()) return values;
  }
  refuse(key, "this must be a list of texts in quotes with at least one element");
  return {};
}

std::vector<std::int64_t> Section::numbers(std::string_view key, std::int64_t low,
                                           std::int64_t high) const {
  std::vector<std::int64_t> values;
  const toml::node* const node = find(key);
  if (node == nullptr) return values;
  if (const toml::array* const array = node->as_array()) {
    for (const toml::node& element : *array) {
      const auto value = element.value_exact<std::int64_t>();
      if (value && *value >= low && *value <= high) values.push_back(*value);
    }
    if (!values.empty() && values.size() == array->size()) return values;
  }
  refuse(key, fmt::format("this must be a list of whole numbers from {} to {}", low, high));
  return {};
}

void Section::refuse(std::string_view key, std::string_view sentence) const {
  const toml::node* const node = find(key);
  refusals_->add(node != nullptr ? node->source() : table_->source(),
                 path_.empty() ? std::string{key} : fmt::format("{}.{}", path_, key), sentence);
}

void Section::refuse_value(std::string_view key, std::string_view value,
                           std::string_view wanted) const {
  refuse(key, fmt::format("\"{}\" is not {}", value, wanted));
}

void Section::refuse_unknown(const toml::key& key, std::span<const Key> keys) const {
  refusals_->add(key.source(),
                 path_.empty() ? std::string{key.str()} : fmt::format("{}.{}", path_, key.str()),
                 fmt::format("this key is unknown; {}", suggestion(path_, key.str(), keys)));
}

}  // namespace penstock::config
