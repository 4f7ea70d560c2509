// A reassembler, frames to give it, and the books at the end.
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
    reassembler.flush(sink);
    EXPECT_EQ(budget.held, 0u);
    EXPECT_EQ(given, sink.released.size());
    std::ranges::sort(sink.released);
    EXPECT_TRUE(std::ranges::adjacent_find(sink.released) == sink.released.end());
  }

  void accept(std::uint64_t number, std::uint64_t now = 0) {
    Buffer name(8);
    store_be64(name.data(), number);
    accept(number, Plaintext(0).block(1, name), now);
  }
  void accept(std::uint64_t number, const Plaintext& plaintext, std::uint64_t now = 0) {
    frames.push_back(plaintext);
    reassembler.accept({number}, Bytes{frames.back()}, &frames.back(), now, sink);
    ++given;
  }
  void accept_range(std::uint64_t first, std::uint64_t last, std::uint64_t now = 0) {
    for (std::uint64_t number = first; number <= last; ++number) accept(number, now);
  }
  // The numbers delivered since the last call.
  std::vector<std::uint64_t> delivered() {
    std::vector<std::uint64_t> numbers;
    for (; seen < sink.blocks.size(); ++seen) {
      numbers.push_back(load_be64(sink.blocks[seen].bytes.data()));
    }
    return numbers;
  }
  static std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t number = first; number <= last; ++number) numbers.push_back(number);
    return numbers;
  }

  using Numbers = std::vector<std::uint64_t>;
  HeldBudget budget{.limit = 1000};
  Reassembler reassembler{budget, wait};
  RecordingSink sink;
  std::deque<Plaintext> frames;
  std::size_t given = 0;
  std::size_t seen = 0;
};

}  // namespace penstock::test
