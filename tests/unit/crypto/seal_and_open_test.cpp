// Every protection on every engine against OpenSSL, one frame after another and in any mix.
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "every_engine.hpp"
#include "frame_batch.hpp"
#include "penstock/base/limits.hpp"

namespace penstock {
namespace {

class SealAndOpen : public EveryEngine {
 protected:
  std::vector<TestSa> sas_of_every_size(Protection protection, std::uint8_t tag) {
    std::vector<TestSa> sas;
    for (const std::size_t size : frame_sizes)
      sas.emplace_back(engine(), protection, shape_of(size, tag), dice_);
    return sas;
  }
  std::vector<TestSa> random_sas(std::size_t count) {
    std::vector<TestSa> sas;
    for (std::size_t i = 0; i < count; ++i) sas.push_back(random_sa(engine(), dice_));
    return sas;
  }
  // Anywhere below the hard limit, with room for this test's frames.
  void skip_somewhere(TestSa& sa) {
    constexpr std::uint64_t room = 10'000;
    const std::uint64_t next = sa.next();
    const std::uint64_t end = sa.sealer.limits().hard_frames - room;
    if (next < end) sa.sealer.skip_to({next + dice_.below_of_any_magnitude(end - next)});
  }
  void expect_both_ways(std::span<TestSa* const> order) {
    expect_seals_as_openssl(engine(), order, dice_);
    expect_opens_what_openssl_sealed(engine(), order, dice_);
  }
};

INSTANTIATE_TEST_SUITE_P(On, SealAndOpen, testing::ValuesIn(engine_variants), variant_name);

TEST_P(SealAndOpen, AsOpenSslAtEverySizeAndTagLength) {
  for (const ProtectionTraits& kind : protections)
    for (const std::uint8_t tag : tags_of(kind.protection)) {
      std::vector<TestSa> sas = sas_of_every_size(kind.protection, tag);
      for (TestSa& sa : sas) skip_somewhere(sa);
      // Twice: the dice lay each frame against the one guard page or the other.
      for (int round = 0; round < 2; ++round) expect_both_ways(in_turn(sas, sas.size()));
    }
}

TEST_P(SealAndOpen, AsOpenSslInBatchesOfEveryLengthOfOneProtection) {
  for (const ProtectionTraits& kind : protections) {
    std::vector<TestSa> sas;
    for (int i = 0; i < 3; ++i) sas.push_back(random_sa(engine(), kind.protection, dice_));
    for (std::size_t count = 0; count <= FrameEngine::max_batch; ++count)
      expect_both_ways(in_turn(sas, count));
  }
}

TEST_P(SealAndOpen, AsOpenSslInBatchesOfEveryLengthOfOneSa) {
  for (const ProtectionTraits& kind : protections) {
    std::vector<TestSa> sas;
    sas.emplace_back(engine(), kind.protection, default_shape(kind.protection), dice_);
    for (std::size_t count = 0; count <= FrameEngine::max_batch; ++count)
      expect_both_ways(in_turn(sas, count));
  }
}

TEST_P(SealAndOpen, AsOpenSslInAnyMix) {
  for (int round = 0; round < 10; ++round) {
    std::vector<TestSa> sas = random_sas(40);
    for (std::size_t batch = 0; batch < 15; ++batch) {
      skip_somewhere(dice_.one_of(sas));
      expect_both_ways(at_random(sas, dice_.below(FrameEngine::max_batch + 1), dice_));
    }
  }
}

TEST_P(SealAndOpen, AsOpenSslAcrossThe32ndBitAndAtTheLastNumber) {
  for (const ProtectionTraits& kind : protections) {
    std::vector<TestSa> sas;
    sas.emplace_back(engine(), kind.protection, default_shape(kind.protection), dice_);
    TestSa& sa = sas.front();
    constexpr std::size_t count = 33;
    sa.sealer.skip_to({(std::uint64_t{1} << 32) - count / 2});
    expect_seals_as_openssl(engine(), in_turn(sas, count), dice_);
    sa.sealer.skip_to({sa.sealer.limits().hard_frames - count});
    expect_seals_as_openssl(engine(), in_turn(sas, count), dice_);
    EXPECT_EQ(sa.next(), sa.sealer.limits().hard_frames);
  }
}

TEST_P(SealAndOpen, SurviveAMove) {
  for (const ProtectionTraits& kind : protections) {
    TestSa made{engine(), kind.protection, default_shape(kind.protection), dice_};
    made.sealer.skip_to({7});
    FrameEngine moved{std::move(engine())};
    std::vector<TestSa> sas;
    sas.push_back(std::move(made));
    TestSa other{moved, kind.protection, default_shape(kind.protection), dice_};
    std::swap(sas.front(), other);
    std::swap(sas.front(), other);
    expect_seals_as_openssl(moved, in_turn(sas, 3), dice_);
    expect_opens_what_openssl_sealed(moved, in_turn(sas, 3), dice_);
    EXPECT_EQ(sas.front().next(), 10u);
    engine_ = std::move(moved);
  }
}

// Made by one engine, used by the engines of two threads that stand on the same plan.
TEST_P(SealAndOpen, EnginesOfOnePlanShareExpandedKeys) {
  std::vector<TestSa> sas = random_sas(16);
  std::vector<BatchItem> items = frames_from_openssl(in_turn(sas, 16), dice_);
  std::array<bool, 2> all_opened{};
  const auto open_again_and_again = [&](bool& is_right) {
    FrameEngine own = make_engine(plan_of(GetParam()));
    is_right = true;
    for (int round = 0; round < 50; ++round)
      for (const BatchItem& item : items) {
        Frame frame = item.sealed;
        std::array jobs{OpenJob{.keys = &item.sa->opener, .frame = frame.data()}};
        own.open(jobs);
        is_right = is_right && is_same(jobs[0].plaintext, item.plaintext());
      }
  };
  {
    std::array<std::jthread, 2> threads;
    for (std::size_t t = 0; t < threads.size(); ++t)
      threads[t] = std::jthread{[&, t] { open_again_and_again(all_opened[t]); }};
  }
  EXPECT_TRUE(all_opened[0] && all_opened[1]);
}

TEST_P(SealAndOpen, ManyBlocksOfZerosNeverEncryptToTheSame) {
  for (const ProtectionTraits& kind : protections) {
    if (kind.encrypt_key == 0) continue;
    TestSa sa{engine(), kind.protection, default_shape(kind.protection), dice_};
    const std::uint64_t hard = sa.sealer.limits().hard_frames;
    std::vector<std::string> blocks;
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{0xffffffff}, hard - 2}) {
      std::array<Frame, 2> frames{Frame(sa.shape.size), Frame(sa.shape.size)};
      sa.sealer.skip_to({first});
      std::array jobs{SealJob{.keys = &sa.sealer, .frame = frames[0].data()},
                      SealJob{.keys = &sa.sealer, .frame = frames[1].data()}};
      engine().seal(jobs);
      for (const Frame& frame : frames)
        for (std::size_t at = 0; at + 16 <= sa.shape.plaintext(); at += 16)
          blocks.push_back(to_hex(sa.text_of(frame).subspan(at, 16)));
    }
    std::ranges::sort(blocks);
    EXPECT_TRUE(std::ranges::unique(blocks).empty()) << kind.name;
  }
}

TEST_P(SealAndOpen, ProgrammersErrorsStopTheProcess) {
  TestSa sa{engine(), Protection::aes256_ctr_sha256, shape_of(1472, 16), dice_};
  std::vector<SealJob> to_seal(FrameEngine::max_batch + 1);
  std::vector<OpenJob> to_open(FrameEngine::max_batch + 1);
  EXPECT_DEATH(engine().seal(to_seal), "too many frames");
  EXPECT_DEATH(engine().open(to_open), "too many frames");
  for (const ProtectionTraits& kind : protections) {
    const FrameShape fits = default_shape(kind.protection);
    std::vector<FrameShape> wrong{shape_of(255, fits.tag), shape_of(9001, fits.tag),
                                  shape_of(1472, kind.max_tag + 1u)};
    if (kind.min_tag > 0) wrong.push_back(shape_of(1472, kind.min_tag - 1u));
    for (const FrameShape shape : wrong)
      EXPECT_DEATH((void)engine().expand(kind.protection, shape, sa.encrypt, sa.mac),
                   "within the limits")
          << kind.name << ", size " << shape.size << ", tag " << int{shape.tag};
  }
}

}  // namespace
}  // namespace penstock
