#include "penstock/crypto/frame_engine.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "guarded_frame.hpp"
#include "penstock/base/limits.hpp"
#include "sealed_by_openssl.hpp"

namespace penstock {
namespace {

using Choice = FrameEngine::Choice;
using Guard = GuardedFrame::Guard;

constexpr std::uint8_t longest_tag = 32;
constexpr std::array<std::uint16_t, 16> sizes{256,  257,  271,  319,  320,  321,  1000, 1279,
                                              1452, 1472, 1473, 2048, 4096, 8191, 8999, 9000};

FrameEngine make_engine(Choice choice) {
  Result<FrameEngine> engine = FrameEngine::create(choice);
  EXPECT_TRUE(engine) << engine.error().message;
  return std::move(*engine);
}

class EveryChoice : public testing::TestWithParam<Choice> {
 protected:
  TestSa make_sa(std::size_t size, std::size_t tag) {
    return {engine_,
            {.size = static_cast<std::uint16_t>(size), .tag = static_cast<std::uint8_t>(tag)},
            dice_};
  }
  std::vector<TestSa> sas_of_every_size(std::size_t tag) {
    std::vector<TestSa> sas;
    sas.reserve(sizes.size());
    for (const std::size_t size : sizes) sas.push_back(make_sa(size, tag));
    return sas;
  }
  // One SA for every tag length, of all sizes.
  std::vector<TestSa> mixed_sas() {
    std::vector<TestSa> sas;
    for (std::size_t tag = limits::min_tag; tag <= longest_tag; ++tag)
      sas.push_back(make_sa(sizes[tag % sizes.size()], tag));
    return sas;
  }

  // Seals `count` clear frames of these SAs in turn, and compares with OpenSSL.
  void expect_sealed_as_by_openssl(const std::vector<TestSa>& sas, std::size_t count, Guard guard) {
    std::vector<GuardedFrame> frames;
    std::vector<Frame> expected;
    std::vector<SealJob> jobs;
    for (std::size_t i = 0; i < count; ++i) {
      const TestSa& sa = sas[i % sas.size()];
      const Frame clear = clear_frame(sa.shape, dice_);
      frames.emplace_back(sa.shape.size, guard);
      std::ranges::copy(clear, frames.back().data());
      expected.push_back(sealed_by_openssl(sa, clear));
      jobs.push_back({.sa = &sa.cipher, .frame = frames.back().data()});
    }
    engine_.seal(jobs);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(std::ranges::equal(frames[i].bytes(), expected[i]))
          << "frame " << i << " of " << count << ", size " << expected[i].size() << ", tag "
          << int{sas[i % sas.size()].shape.tag};
      ASSERT_TRUE(frames[i].is_intact_around()) << "frame " << i << " of " << count;
    }
  }

  // Opens `count` frames that OpenSSL has sealed.
  void expect_opened(const std::vector<TestSa>& sas, std::size_t count, Guard guard) {
    std::vector<GuardedFrame> frames;
    std::vector<Frame> clear;
    std::vector<OpenJob> jobs;
    for (std::size_t i = 0; i < count; ++i) {
      const TestSa& sa = sas[i % sas.size()];
      clear.push_back(clear_frame(sa.shape, dice_));
      frames.emplace_back(sa.shape.size, guard);
      std::ranges::copy(sealed_by_openssl(sa, clear.back()), frames.back().data());
      jobs.push_back({.sa = &sa.cipher, .frame = frames.back().data()});
    }
    engine_.open(jobs);
    for (std::size_t i = 0; i < count; ++i) {
      const FrameShape shape = jobs[i].sa->shape();
      ASSERT_EQ(jobs[i].plaintext.data(), frames[i].data() + frame_layout::header) << i;
      ASSERT_TRUE(std::ranges::equal(
          jobs[i].plaintext, Bytes{clear[i]}.subspan(frame_layout::header, shape.plaintext())))
          << "frame " << i << " of " << count;
      ASSERT_TRUE(frames[i].is_intact_around()) << "frame " << i << " of " << count;
    }
  }

  FrameEngine engine_ = make_engine(GetParam());
  Dice dice_;
};

INSTANTIATE_TEST_SUITE_P(FrameEngine, EveryChoice, testing::Values(Choice::best, Choice::sse),
                         [](const auto& test) {
                           return test.param == Choice::best ? "best" : "sse";
                         });

TEST_P(EveryChoice, SealsAsOpenSslAtEverySizeAndTagLength) {
  for (std::size_t tag = limits::min_tag; tag <= longest_tag; ++tag) {
    const std::vector<TestSa> sas = sas_of_every_size(tag);
    expect_sealed_as_by_openssl(sas, sas.size(), Guard::after);
    expect_sealed_as_by_openssl(sas, sas.size(), Guard::before);
  }
}

TEST_P(EveryChoice, SealsAsOpenSslInBatchesOfEveryLength) {
  const std::vector<TestSa> sas = mixed_sas();
  for (std::size_t count = 0; count <= FrameEngine::max_batch; ++count)
    expect_sealed_as_by_openssl(sas, count, Guard::after);
}

TEST_P(EveryChoice, OpensWhatOpenSslSealedAtEverySizeAndTagLength) {
  for (std::size_t tag = limits::min_tag; tag <= longest_tag; ++tag) {
    const std::vector<TestSa> sas = sas_of_every_size(tag);
    expect_opened(sas, sas.size(), Guard::after);
    expect_opened(sas, sas.size(), Guard::before);
  }
}

TEST_P(EveryChoice, OpensInBatchesOfEveryLength) {
  const std::vector<TestSa> sas = mixed_sas();
  for (std::size_t count = 0; count <= FrameEngine::max_batch; ++count)
    expect_opened(sas, count, Guard::after);
}

// Flips every bit of one frame in turn, among two neighbours that must open regardless.
TEST_P(EveryChoice, EverySingleBitMattersAndOnlyToItsOwnFrame) {
  for (const std::size_t tag : {12u, 16u, 17u, 32u}) {
    const TestSa sa = make_sa(limits::min_frame_size, tag);
    std::array<Frame, 3> clear;
    std::array<Frame, 3> sealed;
    for (std::size_t i = 0; i < 3; ++i) {
      clear[i] = clear_frame(sa.shape, dice_);
      sealed[i] = sealed_by_openssl(sa, clear[i]);
    }
    for (std::size_t bit = 0; bit < sealed[1].size() * 8; ++bit) {
      std::array<Frame, 3> frames = sealed;
      frames[1][bit / 8] ^= std::byte{1} << (bit % 8);
      const Frame flipped = frames[1];
      std::array<OpenJob, 3> jobs;
      for (std::size_t i = 0; i < 3; ++i)
        jobs[i] = {.sa = &sa.cipher, .frame = frames[i].data(), .plaintext = flipped};
      engine_.open(jobs);
      ASSERT_TRUE(jobs[1].plaintext.empty()) << "bit " << bit << " tag " << tag;
      ASSERT_EQ(frames[1], flipped) << "a refused frame is not decrypted";
      for (const std::size_t i : {0u, 2u})
        ASSERT_TRUE(std::ranges::equal(
            jobs[i].plaintext,
            Bytes{clear[i]}.subspan(frame_layout::header, sa.shape.plaintext())));
    }
  }
}

// Refused and good frames in one batch, in every pattern of a run of refusals.
TEST_P(EveryChoice, RefusalsAnywhereInABatchLeaveTheOthersAlone) {
  const std::vector<TestSa> sas = mixed_sas();
  for (const std::size_t count : {1u, 2u, 9u, 16u, 17u, 32u, 41u, 64u}) {
    std::vector<Frame> clear;
    std::vector<Frame> frames;
    std::vector<OpenJob> jobs(count);
    std::vector<bool> is_forged(count);
    for (std::size_t i = 0; i < count; ++i) {
      const TestSa& sa = sas[i % sas.size()];
      clear.push_back(clear_frame(sa.shape, dice_));
      frames.push_back(sealed_by_openssl(sa, clear.back()));
      is_forged[i] = dice_.number() % 2 == 0;
      if (is_forged[i]) frames[i][dice_.number() % frames[i].size()] ^= std::byte{0x10};
    }
    const std::vector<Frame> received = frames;
    for (std::size_t i = 0; i < count; ++i)
      jobs[i] = {.sa = &sas[i % sas.size()].cipher, .frame = frames[i].data()};
    engine_.open(jobs);
    for (std::size_t i = 0; i < count; ++i) {
      if (is_forged[i]) {
        EXPECT_TRUE(jobs[i].plaintext.empty()) << i << " of " << count;
        EXPECT_EQ(frames[i], received[i]);
      } else {
        EXPECT_TRUE(std::ranges::equal(
            jobs[i].plaintext,
            Bytes{clear[i]}.subspan(frame_layout::header, jobs[i].sa->shape().plaintext())));
      }
    }
  }
}

TEST_P(EveryChoice, AFrameOfAnotherSaIsRefused) {
  const TestSa one = make_sa(1472, 16);
  const TestSa other = make_sa(1472, 16);
  Frame frame = sealed_by_openssl(one, clear_frame(one.shape, dice_));
  const Frame sealed = frame;
  std::array jobs{OpenJob{.sa = &other.cipher, .frame = frame.data()}};
  engine_.open(jobs);
  EXPECT_TRUE(jobs[0].plaintext.empty());
  EXPECT_EQ(frame, sealed);
  jobs[0].sa = &one.cipher;
  engine_.open(jobs);
  EXPECT_FALSE(jobs[0].plaintext.empty());
}

// The zeros that encrypt to the key stream itself.
TEST_P(EveryChoice, NoTwoFramesShareAKeyStream) {
  const TestSa sa = make_sa(1472, 16);
  constexpr std::array<std::uint64_t, 6> sequences{0,          1,           2,
                                                   0xffffffff, 0x100000000, ~std::uint64_t{0}};
  std::vector<Frame> frames;
  for (const std::uint64_t sequence : sequences) {
    frames.emplace_back(sa.shape.size);
    write_frame_header(std::span{frames.back()}.first<frame_layout::header>(),
                       {.spi = {1}, .sequence = {sequence}});
  }
  std::array<SealJob, sequences.size()> jobs;
  for (std::size_t i = 0; i < jobs.size(); ++i)
    jobs[i] = {.sa = &sa.cipher, .frame = frames[i].data()};
  engine_.seal(jobs);
  std::vector<std::string> blocks;
  for (const Frame& frame : frames)
    for (std::size_t at = 0; at + 16 <= sa.shape.plaintext(); at += 16)
      blocks.push_back(to_hex(Bytes{frame}.subspan(frame_layout::header + at, 16)));
  const std::size_t made = blocks.size();
  std::ranges::sort(blocks);
  const auto repeated = std::ranges::unique(blocks);
  EXPECT_TRUE(repeated.empty()) << repeated.size() << " of " << made;
}

TEST_P(EveryChoice, EnginesOfTwoThreadsMayShareAnSa) {
  const TestSa sa = make_sa(1472, 16);
  const Frame clear = clear_frame(sa.shape, dice_);
  const Frame expected = sealed_by_openssl(sa, clear);
  std::array<bool, 2> is_same{};
  {
    std::array<std::jthread, 2> threads;
    for (std::size_t t = 0; t < threads.size(); ++t)
      threads[t] = std::jthread{[&, t] {
        FrameEngine engine = make_engine(GetParam());
        is_same[t] = true;
        for (int round = 0; round < 200; ++round) {
          Frame frame = clear;
          const std::array jobs{SealJob{.sa = &sa.cipher, .frame = frame.data()}};
          engine.seal(jobs);
          is_same[t] = is_same[t] && frame == expected;
        }
      }};
  }
  EXPECT_TRUE(is_same[0] && is_same[1]);
}

TEST_P(EveryChoice, SurvivesAMove) {
  TestSa sa = make_sa(1472, 16);
  const Frame clear = clear_frame(sa.shape, dice_);
  Frame frame = clear;
  FrameEngine moved{std::move(engine_)};
  const SaCipher cipher{std::move(sa.cipher)};
  const std::array jobs{SealJob{.sa = &cipher, .frame = frame.data()}};
  moved.seal(jobs);
  EXPECT_EQ(frame, sealed_by_openssl(sa, clear));
  engine_ = std::move(moved);
}

TEST_P(EveryChoice, KeepsAllOfItInSecretMemoryAndGivesItBack) {
  const std::size_t before = secret_memory::usage().bytes_in_use;
  {
    FrameEngine engine = make_engine(GetParam());
    const std::size_t with_engine = secret_memory::usage().bytes_in_use;
    EXPECT_GT(with_engine, before);
    const TestSa sa{engine, {.size = 1472, .tag = 16}, dice_};
    EXPECT_GE(secret_memory::usage().bytes_in_use, with_engine + 32 + 48 + 240 + 64);
  }
  EXPECT_EQ(secret_memory::usage().bytes_in_use, before);
}

TEST_P(EveryChoice, ProgrammersErrorsStopTheProcess) {
  const TestSa sa = make_sa(1472, 16);
  std::vector<SealJob> jobs(FrameEngine::max_batch + 1);
  EXPECT_DEATH(engine_.seal(jobs), "too many frames");
  for (const FrameShape shape : {FrameShape{.size = 255, .tag = 16},
                                 {.size = 9001, .tag = 16},
                                 {.size = 1472, .tag = 11},
                                 {.size = 1472, .tag = 33}})
    EXPECT_DEATH((void)engine_.expand(Protection::aes256_ctr_sha256, shape, sa.encrypt, sa.mac),
                 "within the limits");
}

TEST(FrameEngine, SaysWhichCodeItRuns) {
  EXPECT_TRUE(make_engine(Choice::sse).describe().starts_with("ipsec-mb "));
  EXPECT_NE(make_engine(Choice::sse).describe().find(" SSE"), std::string::npos);
  RecordProperty("best", make_engine(Choice::best).describe());
}

}  // namespace
}  // namespace penstock
