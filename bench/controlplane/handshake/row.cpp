#include "row.hpp"

#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace penstock::bench {
namespace {

constexpr auto line = "{:<22} {:<9} {:>10} {:>12} {:>9}  {}\n";

std::string to_line(const Row& row) {
  return fmt::format(
      line, row.name, row.kex ? to_string(*row.kex) : "-", fmt::format("{:.0f}", 1 / row.seconds),
      fmt::format("{:.3f}", row.seconds * 1e6),
      row.ratio_to_bare_dh ? fmt::format("{:.3f}", *row.ratio_to_bare_dh) : "-", row.best);
}

using Json = nlohmann::ordered_json;

Json to_json(const Row& row) {
  Json json{{"name", row.name},
            {"kex", nullptr},
            {"per_second", 1 / row.seconds},
            {"ratio_to_bare_dh", nullptr},
            {"nanoseconds", row.seconds * 1e9}};
  if (row.kex) json["kex"] = to_string(*row.kex);
  if (!row.ratio_to_bare_dh) return json;
  json["ratio_to_bare_dh"] = *row.ratio_to_bare_dh;
  json["best_bare_dh"] = row.best;
  Json& ways = json["bare_dh_nanoseconds"] = Json::object();
  for (const auto& [way, nanoseconds] : row.nanoseconds) ways[way] = nanoseconds;
  return json;
}

}  // namespace

bool TablePrinter::ReportContext(const Context&) {
  GetOutputStream()
      << "One core's own time. The ratio is the speed of whole handshakes over that of one key "
         "made and\none agreed, by OpenSSL's fastest way: the median over passes that took turns.\n"
      << fmt::format(line, "name", "kex", "per second", "us of CPU", "/bare DH", "best bare way");
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
