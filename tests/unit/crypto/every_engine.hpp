// Every kind of engine that this CPU can run, for tests that all of them must pass.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <intel-ipsec-mb.h>

#include "dice.hpp"
#include "penstock/base/check.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "penstock/crypto/frame_engine.hpp"

namespace penstock {

struct EngineVariant {
  const char* name;
  EngineOptions options;
  std::uint64_t cpu_flags;  // what ipsec-mb asks of the CPU

  [[nodiscard]] bool runs_here() const {
    return (imb_get_feature_flags() & cpu_flags) == cpu_flags;
  }
};

using Vectors = EngineOptions::Vectors;
inline constexpr std::array engine_variants{
    EngineVariant{
        "avx512_sha", {.vectors = Vectors::avx512}, IMB_CPUFLAGS_AVX512 | IMB_FEATURE_SHANI},
    EngineVariant{
        "avx512", {.vectors = Vectors::avx512, .sha_instructions = false}, IMB_CPUFLAGS_AVX512},
    EngineVariant{"avx2_sha", {.vectors = Vectors::avx2}, IMB_CPUFLAGS_AVX2 | IMB_FEATURE_SHANI},
    EngineVariant{"avx2", {.vectors = Vectors::avx2, .sha_instructions = false}, IMB_CPUFLAGS_AVX2},
    EngineVariant{"sse_sha", {.vectors = Vectors::sse}, IMB_CPUFLAGS_SSE | IMB_FEATURE_SHANI},
    EngineVariant{"sse", {.vectors = Vectors::sse, .sha_instructions = false}, IMB_CPUFLAGS_SSE},
    EngineVariant{"slow", {.aes_instructions = false, .allow_slow = true}, 0},
};

inline std::string variant_name(const testing::TestParamInfo<EngineVariant>& info) {
  return info.param.name;
}

// Measured once a process.
inline const EnginePlan& plan_of(const EngineVariant& variant) {
  static std::map<std::string, EnginePlan> plans;
  auto known = plans.find(variant.name);
  if (known == plans.end()) {
    Result<EnginePlan> measured = EnginePlan::measure(variant.options);
    check(measured.has_value(), "a plan for every variant that this CPU runs");
    known = plans.emplace(variant.name, std::move(*measured)).first;
  }
  return known->second;
}

inline FrameEngine make_engine(const EnginePlan& plan) {
  Result<FrameEngine> engine = FrameEngine::create(plan);
  check(engine.has_value(), engine ? "" : engine.error().message.c_str());
  return std::move(*engine);
}

class EveryEngine : public testing::TestWithParam<EngineVariant> {
 protected:
  void SetUp() override {
    if (!GetParam().runs_here()) GTEST_SKIP() << "this CPU lacks the instructions";
    engine_.emplace(make_engine(plan_of(GetParam())));
  }

  FrameEngine& engine() { return *engine_; }

  std::optional<FrameEngine> engine_;
  Dice dice_;
};

}  // namespace penstock
