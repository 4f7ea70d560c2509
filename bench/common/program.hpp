// The main() of a bench that compares: each of its benchmarks measures once, for as long as it
// needs, and its results are rows of the bench's own.
#pragma once

#include <benchmark/benchmark.h>

namespace penstock::bench {

class Program {
 public:
  // Takes Google Benchmark's options (scripts/bench --only and --json are two of them).
  Program(int argc, char** argv);

  // Runs the registered benchmarks that are wanted: `table` prints, `json` writes the file if one
  // is. Returns the exit code.
  [[nodiscard]] int run(benchmark::BenchmarkReporter& table,
                        benchmark::BenchmarkReporter& json) const;

 private:
  bool is_refused_ = false;
  bool has_file_ = false;
};

}  // namespace penstock::bench
