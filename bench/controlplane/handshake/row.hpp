// What was measured of handshakes or of what is none: a line of the table, an object of the JSON
// list.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "penstock/base/suite.hpp"

namespace penstock::bench {

struct Row {
  std::string name;
  std::optional<KeyExchange> kex;
  double seconds = 0;                                       // of CPU, each
  std::optional<double> ratio_to_bare_dh;                   // speed over speed
  std::string best;                                         // the fastest bare way
  std::vector<std::pair<std::string, double>> nanoseconds;  // of every bare way
};
using Rows = std::vector<Row>;

// Prints the rows of each benchmark when it is through.
class TablePrinter final : public benchmark::BenchmarkReporter {
 public:
  explicit TablePrinter(const Rows& rows) : rows_(rows) {}
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  const Rows& rows_;
  std::size_t printed_ = 0;
};

// Writes all rows at the end.
class JsonWriter final : public benchmark::BenchmarkReporter {
 public:
  explicit JsonWriter(const Rows& rows) : rows_(rows) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
  void Finalize() override;

 private:
  const Rows& rows_;
};

}  // namespace penstock::bench
