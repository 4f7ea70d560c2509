// A frame with a bad tag is a verdict: no plaintext of it is left, and its neighbours open.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "every_engine.hpp"
#include "frame_batch.hpp"
#include "penstock/base/limits.hpp"

namespace penstock {
namespace {

// `received` is what came, before the engine saw it.
void expect_refused(const TestSa& sa, const OpenJob& job, Bytes frame, const Frame& received,
                    Bytes plaintext) {
  ASSERT_TRUE(job.plaintext.empty());
  const auto header = frame.first(frame_layout::header);
  ASSERT_TRUE(is_same(header, Bytes{received}.first(frame_layout::header)));
  const Bytes text = sa.text_of(frame);
  if (is_aead(sa.protection)) {
    ASSERT_TRUE(is_zero(text)) << "it was decrypted while it was verified";
  } else {
    ASSERT_TRUE(is_same(frame, received)) << "it is not touched";
  }
  // Not in its place and not moved, not even a block of it.
  for (std::size_t at = 0; at + 16 <= plaintext.size(); at += 16)
    ASSERT_FALSE(is_same(text.subspan(at, 16), plaintext.subspan(at, 16)));
  ASSERT_EQ(::memmem(frame.data(), frame.size(), plaintext.data(), 16), nullptr);
}

class BadFrames : public EveryEngine {
 protected:
  using IsBad = std::function<bool(std::size_t)>;

  // Opens one frame an SA, after one bit of each bad one was flipped.
  void expect_only_good_ones_open(std::span<TestSa* const> order, const IsBad& is_bad) {
    std::vector<BatchItem> items = frames_from_openssl(order, dice_);
    std::vector<OpenJob> jobs = jobs_to_open(items);
    std::vector<Frame> received;
    for (std::size_t i = 0; i < items.size(); ++i) {
      Frame frame = items[i].sealed;
      if (is_bad(i)) dice_.one_of(frame) ^= std::byte{1} << dice_.below(8);
      std::ranges::copy(frame, items[i].frame.data());
      received.push_back(std::move(frame));
    }
    engine().open(jobs);
    for (std::size_t i = 0; i < items.size(); ++i) {
      SCOPED_TRACE(place(items, i));
      const TestSa& sa = *items[i].sa;
      if (sa.protection == Protection::none) {
        ASSERT_TRUE(is_same(jobs[i].plaintext, sa.text_of(received[i])));
      } else if (is_bad(i)) {
        expect_refused(sa, jobs[i], items[i].frame.bytes(), received[i], items[i].plaintext());
      } else {
        expect_opened(items, i, jobs[i]);
      }
      ASSERT_TRUE(items[i].frame.is_intact_around());
    }
  }

  void expect_only_good_ones_open_in_every_pattern(std::span<TestSa* const> order) {
    const std::size_t last = order.size() - 1;
    std::vector<bool> random;
    for (std::size_t i = 0; i <= last; ++i) random.push_back(dice_.below(2) == 0);
    const IsBad all_patterns[] = {
        [](std::size_t i) { return i == 0; },     [=](std::size_t i) { return i == last; },
        [](std::size_t) { return true; },         [](std::size_t i) { return i % 2 == 0; },
        [](std::size_t i) { return i % 2 == 1; }, [&](std::size_t i) { return random[i]; },
    };
    for (const IsBad& is_bad : all_patterns) expect_only_good_ones_open(order, is_bad);
  }

  static constexpr std::array<std::size_t, 13> counts{1,  2,  3,  8,  9,  15, 16,
                                                      17, 31, 32, 33, 63, 64};
};

INSTANTIATE_TEST_SUITE_P(On, BadFrames, testing::ValuesIn(engine_variants), variant_name);

TEST_P(BadFrames, LeaveTheirNeighboursAlone) {
  for (const ProtectionTraits& kind : protections) {
    std::vector<TestSa> sas;
    for (int i = 0; i < 3; ++i) sas.push_back(random_sa(engine(), kind.protection, dice_));
    for (const std::size_t count : counts)
      expect_only_good_ones_open_in_every_pattern(in_turn(sas, count));
  }
}

TEST_P(BadFrames, LeaveTheirNeighboursOfOtherProtectionsAlone) {
  std::vector<TestSa> sas;
  for (int i = 0; i < 40; ++i) sas.push_back(random_sa(engine(), dice_));
  for (const std::size_t count : counts)
    for (int round = 0; round < 4; ++round)
      expect_only_good_ones_open_in_every_pattern(at_random(sas, count, dice_));
}

// Flips every bit of one frame in turn, between two that must open regardless.
TEST_P(BadFrames, AreMadeByEverySingleBit) {
  for (const ProtectionTraits& kind : protections) {
    if (kind.protection == Protection::none) continue;
    std::vector<std::uint8_t> tags{kind.min_tag, fit_tag(kind.protection, 17), kind.max_tag};
    tags.erase(std::ranges::unique(tags).begin(), tags.end());
    for (const std::uint8_t tag : tags) {
      TestSa sa{engine(), kind.protection, shape_of(limits::min_frame_size, tag), dice_};
      std::vector<BatchItem> items = frames_from_openssl(std::array{&sa, &sa, &sa}, dice_);
      for (std::size_t bit = 0; bit < limits::min_frame_size * 8; ++bit) {
        SCOPED_TRACE(testing::Message() << kind.name << ", tag " << int{tag} << ", bit " << bit);
        std::vector<OpenJob> jobs = jobs_to_open(items);
        Frame flipped = items[1].sealed;
        flipped[bit / 8] ^= std::byte{1} << (bit % 8);
        std::ranges::copy(flipped, items[1].frame.data());
        engine().open(jobs);
        expect_refused(sa, jobs[1], items[1].frame.bytes(), flipped, items[1].plaintext());
        expect_opened(items, 0, jobs[0]);
        expect_opened(items, 2, jobs[2]);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Of the keys, too: a frame opens under no other SA, not even one that differs by one key.
TEST_P(BadFrames, AreThoseOfAnotherSa) {
  for (const ProtectionTraits& kind : protections) {
    if (kind.protection == Protection::none) continue;
    const FrameShape shape = default_shape(kind.protection);
    TestSa sa{engine(), kind.protection, shape, dice_};
    const TestSa other{engine(), kind.protection, shape, dice_};
    const TestSa other_mac{engine(),
                           kind.protection,
                           shape,
                           EncryptKey{sa.encrypt.reveal()},
                           random_key<MacKey>(dice_),
                           sa.spi};
    std::vector<BatchItem> items = frames_from_openssl(std::array{&sa}, dice_);
    for (const TestSa* wrong : {&other, &other_mac}) {
      if (wrong == &other_mac && kind.mac_key == 0) continue;
      std::vector<OpenJob> jobs = jobs_to_open(items);
      jobs[0].keys = &wrong->opener;
      engine().open(jobs);
      expect_refused(*wrong, jobs[0], items[0].frame.bytes(), items[0].sealed,
                     items[0].plaintext());
    }
    std::vector<OpenJob> jobs = jobs_to_open(items);
    engine().open(jobs);
    expect_opened(items, 0, jobs[0]);
  }
}

// A frame of zeros, as a wiped buffer would be.
TEST_P(BadFrames, AreThoseOfZeros) {
  for (const ProtectionTraits& kind : protections) {
    if (kind.protection == Protection::none) continue;
    TestSa sa{engine(), kind.protection, default_shape(kind.protection), dice_};
    Frame frame(sa.shape.size);
    std::array jobs{OpenJob{.keys = &sa.opener, .frame = frame.data()}};
    engine().open(jobs);
    EXPECT_TRUE(jobs[0].plaintext.empty());
    EXPECT_TRUE(is_zero(frame));
  }
}

}  // namespace
}  // namespace penstock
