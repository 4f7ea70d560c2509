#include "bench/dataplane/path_row.hpp"

#include <cstdio>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace penstock::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto line = "{:<40} {:>8} {:>8} {:>9} {:>8}  {}";

std::string or_dash(std::optional<double> value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

std::string remarks(const PathRow& row) {
  std::string text;
  for (const auto& [name, value] : row.more) text += fmt::format("{} {:.5g}  ", name, value);
  for (const PathGoal& goal : row.goals)
    text += fmt::format("{} {:.3g} of {} {}: {}  ", goal.of, goal.value,
                        goal.is_most ? "at most" : "at least", goal.bound,
                        goal.is_void    ? "VOID"
                        : goal.is_met() ? "met"
                                        : "MISSED");
  return text + row.caveat;
}

void print(const std::string& text) {
  std::puts(text.c_str());
  std::fflush(stdout);
}

Json or_null(const auto& value) { return value ? Json(*value) : Json(nullptr); }

Json to_json(const PacketMix& packets) {
  return packets.bytes == 0 ? Json("imix") : Json(packets.bytes);
}

Json to_json(const PathRow& row) {
  Json json{{"name", row.name},
            {"suite", row.suite ? Json(to_string(*row.suite)) : Json(nullptr)},
            {"direction", row.direction ? Json(to_string(*row.direction)) : Json(nullptr)},
            {"packet_bytes", row.packets ? to_json(*row.packets) : Json(nullptr)},
            {"workers", or_null(row.workers)},
            {"sessions", or_null(row.sessions)},
            {"gbit_per_s", or_null(row.gbit_per_s)},
            {"mpps", or_null(row.mpps)},
            {"cycles_per_frame", or_null(row.cycles_per_frame)},
            {"ratio_to_seal", or_null(row.ratio_to_seal)}};
  for (const auto& [name, value] : row.more) json[name] = value;
  if (!row.caveat.empty()) json["caveat"] = row.caveat;
  Json goals = Json::array();
  for (const PathGoal& goal : row.goals)
    goals.push_back({{"of", goal.of},
                     {"value", goal.value},
                     {goal.is_most ? "most" : "least", goal.bound},
                     {"met", goal.is_met()},
                     {"void", goal.is_void}});
  json["goals"] = goals;
  return json;
}

}  // namespace

void PathTable::heading(const std::string& text) {
  print(text);
  print(fmt::format(line, "name", "Gbit/s", "Mpps", "cyc/frame", "to seal", ""));
}

void PathTable::add(const PathRow& row) {
  print(fmt::format(line, row.name, or_dash(row.gbit_per_s, 2), or_dash(row.mpps, 3),
                    or_dash(row.cycles_per_frame, 0), or_dash(row.ratio_to_seal, 3), remarks(row)));
  rows_.push_back(row);
}

void PathTable::write(const std::filesystem::path& json) const {
  Json list = Json::array();
  for (const PathRow& row : rows_) list.push_back(to_json(row));
  std::ofstream{json} << list.dump(1) << "\n";
}

}  // namespace penstock::bench
