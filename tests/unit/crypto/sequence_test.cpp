// No sequence number is used twice under one key: the engine alone takes them, each once, in
// batch order, and none from the hard limit on.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "every_engine.hpp"
#include "frame_batch.hpp"

namespace penstock {
namespace {

class Sequences : public EveryEngine {
 protected:
  // Small frames of every protection, `each` SAs of each.
  std::vector<TestSa> small_sas(std::size_t each) {
    std::vector<TestSa> sas;
    for (const ProtectionTraits& kind : protections)
      for (std::size_t i = 0; i < each; ++i)
        sas.emplace_back(engine(), kind.protection, default_shape(kind.protection, 256), dice_);
    return sas;
  }
  TestSa one_with_hard_limit(Protection protection, std::uint64_t hard_frames) {
    TestSa sa{engine(), protection, default_shape(protection), dice_};
    sa.sealer.lower_limits(hard_frames, hard_frames);
    return sa;
  }
};

INSTANTIATE_TEST_SUITE_P(On, Sequences, testing::ValuesIn(engine_variants), variant_name);

std::uint64_t sequence_of(Bytes frame) { return load_be64(&frame[8]); }
std::uint32_t spi_of(Bytes frame) { return load_be32(&frame[4]); }

TEST_P(Sequences, CountFromZeroInBatchOrderWhateverTheBatches) {
  std::vector<TestSa> sas = small_sas(5);
  std::map<const TestSa*, std::uint64_t> expected;
  for (std::size_t round = 0; round < 200; ++round) {
    const std::size_t count =
        round <= FrameEngine::max_batch ? round : dice_.below(FrameEngine::max_batch + 1);
    // Now all SAs, now two of them, now one.
    const std::size_t choice = std::array{sas.size(), std::size_t{2}, std::size_t{1}}[round % 3];
    const std::vector<TestSa*> order = at_random(std::span{sas}.first(choice), count, dice_);
    std::vector<Frame> frames;
    std::vector<SealJob> jobs;
    for (TestSa* const sa : order) frames.push_back(clear_frame(sa->shape, dice_));
    for (std::size_t i = 0; i < count; ++i)
      jobs.push_back({.keys = &order[i]->sealer, .frame = frames[i].data()});
    engine().seal(jobs);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(jobs[i].is_sealed);
      ASSERT_EQ(spi_of(frames[i]), order[i]->spi.value);
      ASSERT_EQ(sequence_of(frames[i]), expected[order[i]]++);
    }
  }
  for (const TestSa& sa : sas) EXPECT_EQ(sa.next(), expected[&sa]);
}

TEST_P(Sequences, AreNotTakenByOpening) {
  std::vector<TestSa> sas = small_sas(1);
  expect_opens_what_openssl_sealed(engine(), in_turn(sas, 20), dice_);
  for (const TestSa& sa : sas) EXPECT_EQ(sa.next(), 0u);
}

// One SA reaches its limit in the middle of a batch; another, in between, goes on.
TEST_P(Sequences, EndAtTheHardLimitAndNobodyElses) {
  for (const ProtectionTraits& kind : protections) {
    TestSa ending = one_with_hard_limit(kind.protection, 5);
    TestSa living{engine(), kind.protection, default_shape(kind.protection), dice_};
    std::vector<BatchItem> items;
    constexpr std::size_t pairs = 9;
    for (std::uint64_t i = 0; i < pairs; ++i) {
      items.emplace_back(ending, i, dice_);
      items.emplace_back(living, i, dice_);
    }
    std::vector<SealJob> jobs = jobs_to_seal(items);
    for (SealJob& job : jobs) job.is_sealed = true;  // the engine's to overwrite
    engine().seal(jobs);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const bool is_over = items[i].sa == &ending && i / 2 >= 5;
      ASSERT_EQ(jobs[i].is_sealed, !is_over) << place(items, i);
      const Frame expected = is_over ? Frame(ending.shape.size) : items[i].sealed;
      ASSERT_TRUE(is_same(items[i].frame.bytes(), expected)) << place(items, i);
      ASSERT_TRUE(items[i].frame.is_intact_around()) << place(items, i);
    }
    EXPECT_EQ(ending.next(), 5u);
    EXPECT_EQ(living.next(), pairs);
  }
}

TEST_P(Sequences, OnceEndedStayEnded) {
  for (const ProtectionTraits& kind : protections) {
    TestSa sa = one_with_hard_limit(kind.protection, 0);
    for (int round = 0; round < 3; ++round) {
      std::vector<Frame> frames(FrameEngine::max_batch, clear_frame(sa.shape, dice_));
      std::vector<SealJob> jobs;
      for (Frame& frame : frames) jobs.push_back({.keys = &sa.sealer, .frame = frame.data()});
      engine().seal(jobs);
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        ASSERT_FALSE(jobs[i].is_sealed);
        ASSERT_EQ(frames[i], Frame(sa.shape.size));
      }
      EXPECT_EQ(sa.next(), 0u);
      sa.sealer.skip_to({0});
    }
  }
}

TEST_P(Sequences, EndAtTheLimitThatTheSuiteHas) {
  for (const ProtectionTraits& kind : protections) {
    TestSa sa{engine(), kind.protection, default_shape(kind.protection), dice_};
    const limits::SaLimits limits = limits::sa_limits(kind.protection, sa.shape.size);
    sa.sealer.skip_to({limits.hard_frames - 1});
    Frame last = clear_frame(sa.shape, dice_);
    Frame beyond = clear_frame(sa.shape, dice_);
    const Frame expected = sealed_by_openssl(sa, limits.hard_frames - 1, last);
    std::array jobs{SealJob{.keys = &sa.sealer, .frame = last.data()},
                    SealJob{.keys = &sa.sealer, .frame = beyond.data()}};
    engine().seal(jobs);
    EXPECT_TRUE(jobs[0].is_sealed);
    EXPECT_EQ(last, expected);
    EXPECT_FALSE(jobs[1].is_sealed);
    EXPECT_EQ(beyond, Frame(sa.shape.size));
    EXPECT_EQ(sa.next(), limits.hard_frames);
  }
}

class SealKeysNumbers : public testing::Test {
 protected:
  FrameEngine engine_ = make_engine(plan_of(engine_variants.back()));
  Dice dice_;
  TestSa sa_{engine_, Protection::aes256_gcm, default_shape(Protection::aes256_gcm), dice_};

  bool seal_one() {
    Frame frame = clear_frame(sa_.shape, dice_);
    std::array jobs{SealJob{.keys = &sa_.sealer, .frame = frame.data()}};
    engine_.seal(jobs);
    return jobs[0].is_sealed;
  }
};

TEST_F(SealKeysNumbers, OnlyGoUp) {
  sa_.sealer.skip_to({10});
  sa_.sealer.skip_to({10});
  EXPECT_TRUE(seal_one());
  EXPECT_EQ(sa_.next(), 11u);
  EXPECT_DEATH(sa_.sealer.skip_to({10}), "never used twice");
  EXPECT_DEATH(sa_.sealer.skip_to({0}), "never used twice");
}

// What was moved from seals nothing, under neither key.
TEST_F(SealKeysNumbers, MoveWithTheirKeysAndAreNotLeftBehind) {
  sa_.sealer.skip_to({41});
  EXPECT_TRUE(seal_one());
  SealKeys moved{std::move(sa_.sealer)};
  EXPECT_EQ(moved.next().value, 42u);
  EXPECT_EQ(moved.limits().hard_frames,
            limits::sa_limits(sa_.protection, sa_.shape.size).hard_frames);
  EXPECT_FALSE(seal_one());

  TestSa other{engine_, Protection::aes256_gcm, sa_.shape, dice_};
  moved = std::move(other.sealer);
  EXPECT_EQ(moved.next().value, 0u);
  EXPECT_EQ(moved.spi(), other.spi);
  std::swap(moved, other.sealer);
  sa_.sealer = std::move(moved);
  EXPECT_FALSE(seal_one());
  sa_.sealer = std::move(other.sealer);
  EXPECT_TRUE(seal_one());
  static_assert(!std::is_copy_constructible_v<SealKeys> && !std::is_copy_assignable_v<SealKeys>);
  static_assert(!std::is_copy_constructible_v<ExpandedKeys>);
}

TEST_F(SealKeysNumbers, StopAtAnyLimitThatWasLowered) {
  const limits::SaLimits limits = sa_.sealer.limits();
  EXPECT_DEATH(sa_.sealer.lower_limits(limits.rekey_frames + 1, limits.hard_frames), "come down");
  EXPECT_DEATH(sa_.sealer.lower_limits(limits.rekey_frames, limits.hard_frames + 1), "come down");
  sa_.sealer.lower_limits(2, 3);
  EXPECT_DEATH(sa_.sealer.lower_limits(2, 4), "come down");
  EXPECT_DEATH(sa_.sealer.lower_limits(3, 3), "come down");
  EXPECT_EQ(sa_.sealer.limits().rekey_frames, 2u);
  EXPECT_EQ(sa_.sealer.limits().hard_frames, 3u);
  EXPECT_EQ(sa_.sealer.limits().max_failed_opens, limits.max_failed_opens);

  EXPECT_TRUE(seal_one());
  EXPECT_FALSE(sa_.sealer.wants_rekey());
  EXPECT_TRUE(seal_one());
  EXPECT_TRUE(sa_.sealer.wants_rekey());
  EXPECT_TRUE(seal_one());
  EXPECT_FALSE(seal_one());
  EXPECT_EQ(sa_.next(), 3u);
  // Below what was used already: nothing more is sealed.
  sa_.sealer.lower_limits(0, 0);
  EXPECT_FALSE(seal_one());
}

}  // namespace
}  // namespace penstock
