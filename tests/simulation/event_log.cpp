#include "event_log.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace penstock::simulation {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Happening::count_)> names{
    "phase",          "wire",        "packet in",          "packet out",      "left",
    "lost",           "arrived",     "data plane started", "data plane died", "penstockd started",
    "penstockd died", "rekey asked", "reloaded",           "installed",       "confirmed",
    "removed",        "told",
};

constexpr std::array<std::string_view, 3> sites{"alpha", "beta", ""};

}  // namespace

std::uint64_t hash_of(Bytes bytes, std::uint64_t start) {
  for (const std::byte byte : bytes)
    start = (start ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3;
  return start;
}

void EventLog::add(Time now, Happening what, int site, std::uint64_t a, std::uint64_t b) {
  keep({.at = now, .what = what, .site = site, .a = a, .b = b, .text = {}});
}

void EventLog::add(Time now, Happening what, int site, const std::string& text) {
  keep({.at = now, .what = what, .site = site, .a = hash_of(as_bytes(text)), .text = text});
}

void EventLog::keep(Entry entry) {
  const std::array<std::uint64_t, 4> words{
      static_cast<std::uint64_t>(entry.at.count()),
      static_cast<std::uint64_t>(entry.what) << 8 | static_cast<std::uint64_t>(entry.site), entry.a,
      entry.b};
  for (const std::uint64_t word : words)
    hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15 + (hash_ >> 29);
  if (is_traced_) std::puts(line(entry).c_str());
  latest_[count_++ % kept] = std::move(entry);
}

std::string EventLog::line(const Entry& entry) {
  const double seconds = static_cast<double>(entry.at.count()) / 1e9;
  const auto site = sites[static_cast<std::size_t>(entry.site)];
  const auto name = names[static_cast<std::size_t>(entry.what)];
  if (!entry.text.empty())
    return fmt::format("{:12.6f} {:5} {}: {}", seconds, site, name, entry.text);
  return fmt::format("{:12.6f} {:5} {} {:x} {}", seconds, site, name, entry.a, entry.b);
}

std::string EventLog::tail() const {
  std::string text;
  for (std::uint64_t i = count_ - std::min<std::uint64_t>(count_, kept); i < count_; ++i)
    text += line(latest_[i % kept]) + "\n";
  return text;
}

}  // namespace penstock::simulation
