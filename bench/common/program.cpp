#include "program.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/base/error.hpp"

namespace penstock::bench {

Program::Program(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  has_file_ = std::ranges::any_of(arguments, [](std::string_view argument) {
    return argument.starts_with("--benchmark_out=");
  });
  std::string once = "--benchmark_min_time=0";
  arguments.insert(arguments.begin() + 1, once.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  is_refused_ = benchmark::ReportUnrecognizedArguments(count, arguments.data());
}

int Program::run(benchmark::BenchmarkReporter& table, benchmark::BenchmarkReporter& json) const {
  if (is_refused_) return exit_refused;
  const std::size_t run = benchmark::RunSpecifiedBenchmarks(&table, has_file_ ? &json : nullptr);
  benchmark::Shutdown();
  return run == 0 ? exit_refused : 0;  // no name matched, and Google Benchmark has said so
}

}  // namespace penstock::bench
