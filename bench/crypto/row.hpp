// What one way of sealing or opening was measured to do: a line of the table, an object of the
// JSON list.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "contest.hpp"
#include "penstock/base/suite.hpp"

namespace penstock::bench {

struct Row {
  std::string name;
  Protection suite{};
  Direction direction{};
  std::size_t frame_bytes = 0;
  std::size_t batch = 0;
  std::size_t sas = 1;
  double gbit_per_s = 0;       // of frames: header, ciphertext and tag
  double cycles_per_byte = 0;  // of the time stamp counter, a byte of frame
  // Speed over speed; above 1 this way is the faster one.
  std::optional<double> ratio_to_raw;          // bare ipsec-mb: two passes, or the best AEAD calls
  std::optional<double> ratio_to_chained;      // bare ipsec-mb: chained jobs
  std::optional<double> ratio_to_best;         // bare ipsec-mb: the fastest way at this batch
  std::optional<double> ratio_to_one_sa;       // the same with all frames of one SA
  std::optional<double> ratio_to_parts;        // cipher alone plus hash alone
  std::string best;                            // what that fastest way is
  std::optional<std::size_t> preferred_batch;  // of the engine that ran
  std::vector<std::pair<std::string, double>> nanoseconds;  // a frame, of every way of the contest
};

using Rows = std::vector<Row>;

// Prints the rows of each benchmark when it is through.
class TablePrinter final : public benchmark::BenchmarkReporter {
 public:
  explicit TablePrinter(const Rows& rows, std::string heading)
      : rows_(rows), heading_(std::move(heading)) {}
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  const Rows& rows_;
  std::string heading_;
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
