#include "row.hpp"

#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace penstock::bench {
namespace {

const char* to_string(Direction direction) {
  return direction == Direction::seal ? "seal" : "open";
}

std::string or_dash(std::optional<double> ratio) {
  return ratio ? fmt::format("{:.3f}", *ratio) : "-";
}

constexpr auto line =
    "{:<46} {:<18} {:<4} {:>5} {:>5} {:>5} {:>8} {:>8} {:>7} {:>7} {:>7} {:>7} {:>7}  {}\n";

std::string to_line(const Row& row) {
  return fmt::format(line, row.name, to_string(row.suite), to_string(row.direction),
                     row.frame_bytes, row.batch, row.sas, fmt::format("{:.2f}", row.gbit_per_s),
                     fmt::format("{:.3f}", row.cycles_per_byte), or_dash(row.ratio_to_raw),
                     or_dash(row.ratio_to_chained), or_dash(row.ratio_to_best),
                     or_dash(row.ratio_to_one_sa), or_dash(row.ratio_to_parts), row.best);
}

using Json = nlohmann::ordered_json;

Json to_json(std::optional<double> ratio) { return ratio ? Json(*ratio) : Json(nullptr); }

Json to_json(const Row& row) {
  Json json{{"name", row.name},
            {"suite", to_string(row.suite)},
            {"direction", to_string(row.direction)},
            {"frame_bytes", row.frame_bytes},
            {"batch", row.batch},
            {"sas", row.sas},
            {"gbit_per_s", row.gbit_per_s},
            {"cycles_per_byte", row.cycles_per_byte},
            {"ratio_to_raw", to_json(row.ratio_to_raw)}};
  if (row.ratio_to_chained) json["ratio_to_chained"] = *row.ratio_to_chained;
  if (row.ratio_to_best) json["ratio_to_best"] = *row.ratio_to_best;
  if (row.ratio_to_one_sa) json["ratio_to_one_sa"] = *row.ratio_to_one_sa;
  if (row.ratio_to_parts) json["ratio_to_parts"] = *row.ratio_to_parts;
  if (!row.best.empty()) json["best"] = row.best;
  if (row.preferred_batch) json["preferred_batch"] = *row.preferred_batch;
  Json& ways = json["ns_per_frame"] = Json::object();
  for (const auto& [way, nanoseconds] : row.nanoseconds) ways[way] = nanoseconds;
  return json;
}

}  // namespace

bool TablePrinter::ReportContext(const Context&) {
  GetOutputStream() << heading_
                    << fmt::format(line, "name", "suite", "", "frame", "batch", "SAs", "Gbit/s",
                                   "cycles/B", "/raw", "/chain", "/best", "/1 SA", "/parts",
                                   "best way");
  return true;
}

void TablePrinter::ReportRuns(const std::vector<Run>&) {
  for (; printed_ < rows_.size(); ++printed_) GetOutputStream() << to_line(rows_[printed_]);
  GetOutputStream().flush();
}

void JsonWriter::Finalize() {
  Json list = Json::array();
  for (const Row& row : rows_) list.push_back(to_json(row));
  GetOutputStream() << list.dump(1) << '\n';
}

}  // namespace penstock::bench
