#include "penstock/crypto/engine_plan.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "every_engine.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/crypto/pipe_packets.hpp"

namespace penstock {
namespace {

bool mentions(const std::string& text, const char* word) {
  return text.find(word) != std::string::npos;
}

class EveryPlan : public testing::TestWithParam<EngineVariant> {
 protected:
  void SetUp() override {
    if (!GetParam().runs_here()) GTEST_SKIP() << "this CPU lacks the instructions";
  }
};

INSTANTIATE_TEST_SUITE_P(On, EveryPlan, testing::ValuesIn(engine_variants), variant_name);

TEST_P(EveryPlan, SaysInOneLineWhichCodeRuns) {
  const EnginePlan& plan = plan_of(GetParam());
  EXPECT_FALSE(plan.describe().empty());
  EXPECT_FALSE(mentions(plan.describe(), "\n"));
  for (const ProtectionTraits& kind : protections) {
    const std::string text = plan.describe(kind.protection);
    EXPECT_FALSE(text.empty()) << kind.name;
    EXPECT_FALSE(mentions(text, "\n")) << kind.name;
  }
  const bool is_fast = GetParam().options.aes_instructions;
  EXPECT_TRUE(mentions(plan.describe(), is_fast ? "ipsec-mb " : "OpenSSL")) << plan.describe();
}

TEST_P(EveryPlan, SaysNothingOfInstructionsThatItMayNotUse) {
  const EnginePlan& plan = plan_of(GetParam());
  std::string all = plan.describe();
  for (const ProtectionTraits& kind : protections) all += plan.describe(kind.protection);
  const EngineOptions& options = GetParam().options;
  const bool is_slow = !options.aes_instructions;
  EXPECT_FALSE((is_slow || options.vectors < Vectors::avx512) && mentions(all, "AVX512")) << all;
  EXPECT_FALSE((is_slow || options.vectors < Vectors::avx2) && mentions(all, "AVX2")) << all;
  EXPECT_FALSE((is_slow || !options.sha_instructions) && mentions(all, "SHA-NI")) << all;
}

TEST_P(EveryPlan, PrefersABatchThatAnEngineTakes) {
  for (const ProtectionTraits& kind : protections) {
    const std::size_t batch = plan_of(GetParam()).preferred_batch(kind.protection);
    EXPECT_GE(batch, 1u) << kind.name;
    EXPECT_LE(batch, FrameEngine::max_batch) << kind.name;
  }
}

TEST_P(EveryPlan, OfPipesIsForPipesAlone) {
  EngineOptions options = GetParam().options;
  options.is_for_pipes = true;
  const Result<EnginePlan> plan = EnginePlan::measure(options);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(PipeEngine::create(*plan).has_value());
  if (options.aes_instructions) {
    EXPECT_TRUE(mentions(plan->describe(Protection::aes256_ctr_sha256), "1472"));
    EXPECT_EQ(plan->describe(Protection::aes256_gcm), "not measured");
    EXPECT_DEATH((void)FrameEngine::create(*plan), "measured every protection");
  }
}

TEST_P(EveryPlan, IsGoodForManyEngines) {
  const EnginePlan copy = plan_of(GetParam());
  const FrameEngine one = make_engine(copy);
  const FrameEngine other = make_engine(copy);
  EXPECT_EQ(copy.describe(), plan_of(GetParam()).describe());
}

TEST(EnginePlan, NamesTheWidestVectorsThatTheCpuHas) {
  Result<EnginePlan> plan = EnginePlan::measure();
  if ((imb_get_feature_flags() & IMB_FEATURE_AESNI) == 0) GTEST_SKIP() << "no AES instructions";
  ASSERT_TRUE(plan) << plan.error().message;
  const auto cpu_has = [](std::uint64_t flags) {
    return (imb_get_feature_flags() & flags) == flags;
  };
  const char* const widest = cpu_has(IMB_CPUFLAGS_AVX512) ? "AVX512"
                             : cpu_has(IMB_CPUFLAGS_AVX2) ? "AVX2"
                                                          : "SSE";
  EXPECT_TRUE(mentions(plan->describe(), widest)) << plan->describe();
  EXPECT_EQ(mentions(plan->describe(), "SHA-NI"), cpu_has(IMB_FEATURE_SHANI));
  RecordProperty("plan", plan->describe());
  for (const ProtectionTraits& kind : protections)
    RecordProperty(std::string{kind.name}, plan->describe(kind.protection));
}

// More than a CPU has is a wish, not an error: an older one gets what it can run.
TEST(EnginePlan, FallsBackToWhatTheCpuRuns) {
  if ((imb_get_feature_flags() & IMB_FEATURE_AESNI) == 0) GTEST_SKIP() << "no AES instructions";
  for (const Vectors vectors : {Vectors::sse, Vectors::avx2, Vectors::avx512}) {
    const Result<EnginePlan> plan = EnginePlan::measure({.vectors = vectors});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_TRUE(FrameEngine::create(*plan));
  }
}

TEST(EnginePlan, WithoutAesInstructionsRefusesInASentenceThatSaysWhatToDo) {
  const Result<EnginePlan> plan = EnginePlan::measure({.aes_instructions = false});
  ASSERT_FALSE(plan);
  const std::string& sentence = plan.error().message;
  EXPECT_EQ(plan.error().kind, ErrorKind::missing);
  EXPECT_TRUE(mentions(sentence, "AES")) << sentence;
  EXPECT_TRUE(mentions(sentence, "slow_crypto")) << "the setting that allows it: " << sentence;
  EXPECT_FALSE(mentions(sentence, "\n"));
  EXPECT_FALSE(sentence.ends_with(".")) << sentence;
}

TEST(EnginePlan, WithoutAesInstructionsSealsSlowlyWhereThatIsAllowed) {
  const Result<EnginePlan> plan =
      EnginePlan::measure({.aes_instructions = false, .allow_slow = true});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(FrameEngine::create(*plan));
  EXPECT_FALSE(mentions(plan->describe(), "ipsec-mb"));
}

// Allowing slow code makes nothing slow that need not be.
TEST(EnginePlan, UsesAesInstructionsWhereThereAreSome) {
  if ((imb_get_feature_flags() & IMB_FEATURE_AESNI) == 0) GTEST_SKIP() << "no AES instructions";
  const Result<EnginePlan> plan = EnginePlan::measure({.allow_slow = true});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(mentions(plan->describe(), "ipsec-mb"));
}

}  // namespace
}  // namespace penstock
