// The instruction set of the packet path. It is built twice: penstock-dataplane for x86-64-v2
// and its sibling penstock-dataplane-v4 for x86-64-v4; the first starts the second where the
// CPU can run it. (ipsec-mb picks its own code in either.)
#pragma once

#include <optional>
#include <string_view>

namespace penstock::dataplane {

enum class Isa { v2, v4 };

[[nodiscard]] constexpr std::string_view name(Isa isa) {
  return isa == Isa::v2 ? "x86-64-v2" : "x86-64-v4";
}
// "v2" or "v4".
[[nodiscard]] std::optional<Isa> parse_isa(std::string_view text);

// What this program was compiled for.
[[nodiscard]] constexpr Isa built_for() {
#if defined(__AVX512F__)
  return Isa::v4;
#else
  return Isa::v2;
#endif
}

// AVX512F, BW, CD, DQ and VL: what the compiler may use in the v4 build.
[[nodiscard]] bool cpu_runs_v4();

// From the v2 program: becomes the v4 sibling with the same arguments when `wanted` (default:
// the best this CPU runs) says so and the sibling is there. Comes back otherwise; false when
// v4 was asked for by name and cannot be had.
[[nodiscard]] bool switch_isa(std::optional<Isa> wanted, char** argv);

}  // namespace penstock::dataplane
