// Frames between guard pages, with what each should become, to be sealed or opened at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dice.hpp"
#include "guarded_frame.hpp"
#include "sealed_by_openssl.hpp"
#include "test_sa.hpp"

namespace penstock {

struct BatchItem {
  TestSa* sa;
  Frame clear;   // as the packer leaves it
  Frame sealed;  // as OpenSSL seals it
  GuardedFrame frame;

  BatchItem(TestSa& of, std::uint64_t sequence, Dice& dice)
      : sa(&of),
        clear(clear_frame(of.shape, dice)),
        sealed(sealed_by_openssl(of, sequence, clear)),
        frame(of.shape.size,
              dice.below(2) == 0 ? GuardedFrame::Guard::before : GuardedFrame::Guard::after) {}

  [[nodiscard]] Bytes plaintext() const { return sa->text_of(clear); }
};

inline std::vector<SealJob> jobs_to_seal(std::span<BatchItem> items) {
  std::vector<SealJob> jobs;
  for (const BatchItem& item : items) {
    std::ranges::copy(item.clear, item.frame.data());
    jobs.push_back({.keys = &item.sa->sealer, .frame = item.frame.data()});
  }
  return jobs;
}

// The plaintexts that stand in the jobs beforehand are the engine's to overwrite.
inline std::vector<OpenJob> jobs_to_open(std::span<BatchItem> items) {
  std::vector<OpenJob> jobs;
  for (const BatchItem& item : items) {
    std::ranges::copy(item.sealed, item.frame.data());
    jobs.push_back(
        {.keys = &item.sa->opener, .frame = item.frame.data(), .plaintext = item.plaintext()});
  }
  return jobs;
}

inline std::string place(std::span<const BatchItem> items, std::size_t i) {
  const TestSa& sa = *items[i].sa;
  return "frame " + std::to_string(i) + " of " + std::to_string(items.size()) + ", " +
         std::string{to_string(sa.protection)} + ", size " + std::to_string(sa.shape.size) +
         ", tag " + std::to_string(sa.shape.tag);
}

inline void expect_opened(std::span<const BatchItem> items, std::size_t i, const OpenJob& job) {
  const BatchItem& item = items[i];
  ASSERT_EQ(job.plaintext.data(), item.frame.data() + frame_layout::header) << place(items, i);
  ASSERT_TRUE(is_same(job.plaintext, item.plaintext())) << place(items, i);
  ASSERT_TRUE(item.frame.is_intact_around()) << place(items, i);
}

// One frame for each SA named, in this order: the engine numbers, writes header and tag, and
// makes of them what OpenSSL makes.
inline void expect_seals_as_openssl(FrameEngine& engine, std::span<TestSa* const> order,
                                    Dice& dice) {
  std::map<TestSa*, std::uint64_t> next;
  std::vector<BatchItem> items;
  for (TestSa* const sa : order) {
    const std::uint64_t sequence = next.try_emplace(sa, sa->next()).first->second++;
    items.emplace_back(*sa, sequence, dice);
  }
  std::vector<SealJob> jobs = jobs_to_seal(items);
  engine.seal(jobs);
  for (std::size_t i = 0; i < items.size(); ++i) {
    ASSERT_TRUE(jobs[i].is_sealed) << place(items, i);
    ASSERT_TRUE(is_same(items[i].frame.bytes(), items[i].sealed)) << place(items, i);
    ASSERT_TRUE(items[i].frame.is_intact_around()) << place(items, i);
  }
  for (const auto& [sa, number] : next) ASSERT_EQ(sa->next(), number);
}

// One frame for each SA named, that OpenSSL sealed with any sequence number there is.
inline std::vector<BatchItem> frames_from_openssl(std::span<TestSa* const> order, Dice& dice) {
  std::vector<BatchItem> items;
  for (TestSa* const sa : order)
    items.emplace_back(*sa, dice.below_of_any_magnitude(last_sequence.value), dice);
  return items;
}

inline void expect_opens_what_openssl_sealed(FrameEngine& engine, std::span<TestSa* const> order,
                                             Dice& dice) {
  std::vector<BatchItem> items = frames_from_openssl(order, dice);
  std::vector<OpenJob> jobs = jobs_to_open(items);
  engine.open(jobs);
  for (std::size_t i = 0; i < items.size(); ++i) expect_opened(items, i, jobs[i]);
}

// --- orders ---------------------------------------------------------------------

// Each in turn, again and again.
inline std::vector<TestSa*> in_turn(std::span<TestSa> sas, std::size_t count) {
  std::vector<TestSa*> order;
  for (std::size_t i = 0; i < count; ++i) order.push_back(&sas[i % sas.size()]);
  return order;
}
inline std::vector<TestSa*> at_random(std::span<TestSa> sas, std::size_t count, Dice& dice) {
  std::vector<TestSa*> order;
  for (std::size_t i = 0; i < count; ++i) order.push_back(&dice.one_of(sas));
  return order;
}

}  // namespace penstock
