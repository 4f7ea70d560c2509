#include "controlplane/cli/shaping_text.hpp"

#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "controlplane/cli/amounts.hpp"

namespace penstock::cli {
namespace {

using nlohmann::json;

std::string_view text(const json& object, const char* key) {
  return object.at(key).get_ref<const std::string&>();
}

std::uint64_t count(const json& object, const char* key) {
  return object.at(key).get<std::uint64_t>();
}

double number(const json& object, const char* key) { return object.at(key).get<double>(); }

std::string counted(const json& object, const char* key, std::string_view what) {
  const std::uint64_t value = count(object, key);
  return value == 0 ? std::string{} : fmt::format(", {} {}", value, what);
}

std::string rate_line(const json& shaping) {
  std::string line = fmt::format("  {} at {}", text(shaping, "mode"),
                                 scaled(number(shaping, "frames_per_s"), "frames/s"));
  if (!shaping.at("bits_per_s").is_null())
    line += ", " + scaled(number(shaping, "bits_per_s"), "bit/s");
  if (!shaping.at("step").is_null())
    line += fmt::format(", step {} of {}", count(shaping, "step"), count(shaping, "steps"));
  if (!shaping.at("dummy_share").is_null())
    line += fmt::format("; {} dummies", percent(number(shaping, "dummy_share")));
  return line + "\n";
}

std::string ticks_line(const json& ticks) {
  if (ticks.at("on_time_share").is_null()) return {};
  std::string line =
      fmt::format("  ticks {} on time, at worst {} late", percent(number(ticks, "on_time_share")),
                  delay(number(ticks, "latest_s")));
  if (count(ticks, "missed") > 0)
    line += fmt::format(", missed {} ({} of ticks)", count(ticks, "missed"),
                        percent(number(ticks, "missed") / number(ticks, "count")));
  return line + "\n";
}

// Whether more than 1 % were missed since `before`, which may be null or of another clock.
bool misses_many(const json& ticks, const json& before) {
  const bool is_later = before.is_object() && before.at("count") <= ticks.at("count") &&
                        before.at("missed") <= ticks.at("missed");
  const auto since = [&](const char* key) {
    return number(ticks, key) - (is_later ? number(before, key) : 0);
  };
  return since("missed") * 100 > since("count");
}

// The ticks of the link's clock in an earlier status, or null.
json ticks_of(const json& link) {
  if (!link.is_object() || !link.at("shaping").is_object()) return nullptr;
  return link.at("shaping").value("ticks", json(nullptr));
}

std::string far_side_line(const json& far_side) {
  if (far_side.is_null()) return {};
  std::string line =
      fmt::format("  far side: {} of our frames lost{}", percent(number(far_side, "loss")),
                  counted(far_side, "frames_marked", "marked by routers"));
  if (!far_side.at("round_trip_s").is_null())
    line += fmt::format(", round trip {}", delay(number(far_side, "round_trip_s")));
  return line + "\n";
}

std::string breaker_line(const json& breaker) {
  const std::uint64_t trips = count(breaker, "trips");
  if (trips == 0) return {};
  const std::uint64_t lanes = count(breaker, "lanes");
  const std::uint64_t stopped = count(breaker, "lanes_stopped");
  return fmt::format(
      "  stopped {} time{} by its circuit breaker{}\n", trips, trips == 1 ? "" : "s",
      lanes > 1 && stopped > 0 ? fmt::format("; {} of {} lanes now", stopped, lanes) : "");
}

constexpr std::string_view too_slow =
    "  this machine is too slow for this rate: lower it, or give every worker a core of its own\n";

// Of a class that had anything to do with.
std::string queue_line(const std::string& name, const json& queue) {
  const std::uint64_t dropped = count(queue, "dropped") + count(queue, "dropped_aqm");
  if (count(queue, "packets") + count(queue, "queued_packets") + dropped == 0) return {};
  return fmt::format("  {:<7}{} packets waited {} (p50), {} (p99){}{}{}{}\n", name,
                     scaled(number(queue, "packets"), ""), delay(number(queue, "delay_p50_s")),
                     delay(number(queue, "delay_p99_s")),
                     counted(queue, "dropped", "found it full"),
                     counted(queue, "dropped_aqm", "dropped early"),
                     counted(queue, "marked", "marked"), counted(queue, "queued_packets", "wait"));
}

std::string path_line(const json& path) {
  if (path.is_null()) return {};
  const json& size = path.at("frame_size");
  return fmt::format(
      "  path carries frames of {}; {} probes, {} answered\n",
      size.is_null() ? "unknown size" : fmt::format("{} bytes", size.get<unsigned>()),
      count(path, "probes_sent"), count(path, "probes_answered"));
}

}  // namespace

std::string shaping_text(const json& link, const json& before) {
  std::string lines;
  const json& shaping = link.at("shaping");
  if (!shaping.is_null() && shaping.at("is_paced") == true) {
    lines += rate_line(shaping);
    lines += breaker_line(shaping.at("breaker"));
    lines += ticks_line(shaping.at("ticks"));
    if (misses_many(shaping.at("ticks"), ticks_of(before))) lines += too_slow;
    lines += far_side_line(shaping.at("far_side"));
    for (const auto& [name, queue] : link.at("queues").items()) lines += queue_line(name, queue);
  }
  return lines + path_line(link.at("path"));
}

}  // namespace penstock::cli
