// What happened, in order: hashed, so that two runs can be compared, with the latest kept for
// the report of a failure.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "penstock/base/bytes.hpp"
#include "penstock/base/clock.hpp"

namespace penstock::simulation {

enum class Happening : std::uint8_t {
  phase,
  wire,  // conditions changed
  packet_in,
  packet_out,
  left,
  lost,
  arrived,
  dataplane_started,
  dataplane_died,
  controller_started,
  controller_died,
  rekey_asked,
  reloaded,
  installed,
  confirmed,
  removed,
  told,  // a notice of the controller
  count_,
};

class EventLog {
 public:
  explicit EventLog(bool is_traced) : is_traced_(is_traced) {}

  void add(Time now, Happening what, int site, std::uint64_t a = 0, std::uint64_t b = 0);
  // With words, that are hashed too.
  void add(Time now, Happening what, int site, const std::string& text);

  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // The latest events, a line each.
  [[nodiscard]] std::string tail() const;

 private:
  struct Entry {
    Time at{};
    Happening what{};
    int site = 0;
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::string text;
  };
  [[nodiscard]] static std::string line(const Entry& entry);
  void keep(Entry entry);

  static constexpr std::size_t kept = 60;
  bool is_traced_;
  std::uint64_t hash_ = 0xcbf29ce484222325;
  std::uint64_t count_ = 0;
  std::array<Entry, kept> latest_{};
};

// FNV-1a, 64 bits: to tell things apart, not to authenticate them.
[[nodiscard]] std::uint64_t hash_of(Bytes bytes, std::uint64_t start = 0xcbf29ce484222325);

}  // namespace penstock::simulation
