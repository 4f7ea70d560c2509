// Reads one table of a TOML file key by key and remembers the first thing that is wrong, with
// file, line and key. After a refusal the values read do not matter: load_site_config
// returns the error.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "penstock/base/error.hpp"

namespace penstock::config {

class Refusals {
 public:
  explicit Refusals(std::string file) : file_(std::move(file)) {}

  // Only the first one is kept.
  void add(const toml::source_region& where, std::string_view key, std::string_view sentence);
  [[nodiscard]] const std::optional<Error>& first() const { return first_; }

 private:
  std::string file_;
  std::optional<Error> first_;
};

struct Key {
  std::string_view name;
  bool is_required = false;
};

class Section {
 public:
  // Refuses keys that are not among `keys`, and required ones that are not there.
  Section(Refusals& refusals, const toml::table& table, std::string path,
          std::span<const Key> keys);
  // The table under `key` of this one; an empty one, refused, when it is no table.
  [[nodiscard]] Section section(std::string_view key, std::span<const Key> keys) const;

  // The node behind a key; null when the key is not there.
  [[nodiscard]] const toml::node* find(std::string_view key) const { return table_->get(key); }

  // Empty when the key is not there, or refused for what `wanted` says it should be:
  // a noun phrase with an example.
  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
  [[nodiscard]] std::optional<bool> truth(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view key, std::int64_t low,
                                                   std::int64_t high) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  [[nodiscard]] std::vector<std::int64_t> numbers(std::string_view key, std::int64_t low,
                                                  std::int64_t high) const;
  // A text that parse() accepts.
  template <class Parse>
  [[nodiscard]] auto parsed(std::string_view key, Parse parse, std::string_view wanted) const
      -> decltype(parse(std::string_view{})) {
    const auto value = text(key);
    if (!value) return std::nullopt;
    auto result = parse(*value);
    if (!result) refuse_value(key, *value, wanted);
    return result;
  }

  // Says what is wrong with the value of `key`.
  void refuse(std::string_view key, std::string_view sentence) const;

 private:
  void refuse_value(std::string_view key, std::string_view value, std::string_view wanted) const;
  void refuse_unknown(const toml::key& key, std::span<const Key> keys) const;

  Refusals* refusals_;
  const toml::table* table_;
  std::string path_;
};

}  // namespace penstock::config
