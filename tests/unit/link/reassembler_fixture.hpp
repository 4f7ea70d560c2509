// A reassembler_, frames_ to give it, and the books at the end.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/link/reassembler.hpp"
#include "plaintext.hpp"

namespace penstock::test {

inline constexpr std::uint64_t window = limits::reorder_window;
inline constexpr std::uint64_t wait = 1000;

// Frames that carry one small block each, which names the frame's number.
class ReassemblerTest : public ::testing::Test {
 protected:
  ~ReassemblerTest() override {
    reassembler_.flush(sink_);
    EXPECT_EQ(budget_.held, 0u);
    EXPECT_EQ(given_, sink_.released.size());
    std::ranges::sort(sink_.released);
    EXPECT_TRUE(std::ranges::adjacent_find(sink_.released) == sink_.released.end());
  }

  void accept(std::uint64_t number, std::uint64_t now = 0) {
    Buffer name(8);
    store_be64(name.data(), number);
    accept(number, Plaintext(0).block(1, name), now);
  }
  void accept(std::uint64_t number, const Plaintext& plaintext, std::uint64_t now = 0) {
    frames_.push_back(plaintext);
    reassembler_.accept({number}, Bytes{frames_.back()}, &frames_.back(), now, sink_);
    ++given_;
  }
  void accept_range(std::uint64_t first, std::uint64_t last, std::uint64_t now = 0) {
    for (std::uint64_t number = first; number <= last; ++number) accept(number, now);
  }
  // The numbers delivered since the last call.
  std::vector<std::uint64_t> delivered() {
    std::vector<std::uint64_t> numbers;
    for (; seen_ < sink_.blocks.size(); ++seen_) {
      numbers.push_back(load_be64(sink_.blocks[seen_].bytes.data()));
    }
    return numbers;
  }
  static std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t number = first; number <= last; ++number) numbers.push_back(number);
    return numbers;
  }

  using Numbers = std::vector<std::uint64_t>;
  HeldBudget budget_{.limit = 1000};
  Reassembler reassembler_{budget_, wait};
  RecordingSink sink_;
  std::deque<Plaintext> frames_;
  std::size_t given_ = 0;
  std::size_t seen_ = 0;
};

}  // namespace penstock::test
