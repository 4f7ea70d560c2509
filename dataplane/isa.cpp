#include "dataplane/isa.hpp"

#include <unistd.h>

#include <array>
#include <string>

namespace penstock::dataplane {
namespace {

// Where this program lies, with "-v4" behind its name; empty when /proc does not say.
std::string sibling_path() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) return {};
  return std::string{path.data(), static_cast<std::size_t>(length)} + "-v4";
}

}  // namespace

std::optional<Isa> parse_isa(std::string_view text) {
  if (text == "v2") return Isa::v2;
  if (text == "v4") return Isa::v4;
  return std::nullopt;
}

bool cpu_runs_v4() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2");
}

bool switch_isa(std::optional<Isa> wanted, char** argv) {
  if (built_for() == Isa::v4) return wanted != Isa::v2;
  if (wanted.value_or(Isa::v4) == Isa::v2) return true;
  if (cpu_runs_v4()) {
    const std::string sibling = sibling_path();
    if (!sibling.empty()) execv(sibling.c_str(), argv);  // comes back only when it is not there
  }
  return !wanted.has_value();
}

}  // namespace penstock::dataplane
