#include "penstock/link/block_fifo.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using Buffer = std::vector<std::byte>;

struct alignas(16) Memory {
  std::array<std::byte, 1024> bytes{};
};

Buffer block_of(std::size_t length, unsigned value) { return Buffer(length, std::byte(value)); }

bool push(BlockFifo& fifo, const Buffer& bytes, BlockNote note = {}) {
  const std::array<Bytes, 1> pieces = {Bytes{bytes}};
  return fifo.push(note, pieces);
}

Buffer taken(BlockFifo& fifo) {
  const MutableBytes front = fifo.front().bytes;
  Buffer copy(front.begin(), front.end());
  fifo.pop();
  return copy;
}

TEST(BlockFifo, KeepsOrderNotesAndPieces) {
  Memory memory;
  BlockFifo fifo{memory.bytes};
  EXPECT_TRUE(fifo.is_empty());
  const Buffer head = block_of(3, 1);
  const Buffer rest = block_of(5, 2);
  const std::array<Bytes, 3> pieces = {Bytes{head}, Bytes{}, Bytes{rest}};
  ASSERT_TRUE(
      fifo.push({.queued_at = Time{7}, .kind = BlockKind::offload_ethernet, .dscp = 46}, pieces));
  ASSERT_TRUE(push(fifo, block_of(1, 9), {.queued_at = Time{8}, .kind = BlockKind::ip}));
  EXPECT_EQ(fifo.blocks(), 2u);
  EXPECT_EQ(fifo.bytes(), 8 + 1 + 2 * block_header);

  const BlockFifo::Block first = fifo.front();
  EXPECT_EQ(first.note.queued_at, Time{7});
  EXPECT_EQ(first.note.kind, BlockKind::offload_ethernet);
  EXPECT_EQ(first.note.dscp, 46);
  Buffer whole = head;
  whole.insert(whole.end(), rest.begin(), rest.end());
  EXPECT_EQ(taken(fifo), whole);
  EXPECT_EQ(fifo.front().note.kind, BlockKind::ip);
  EXPECT_EQ(taken(fifo), block_of(1, 9));
  EXPECT_TRUE(fifo.is_empty());
  EXPECT_EQ(fifo.bytes(), 0u);
}

TEST(BlockFifo, AnEmptyBlockIsABlock) {
  Memory memory;
  BlockFifo fifo{memory.bytes};
  ASSERT_TRUE(push(fifo, {}));
  EXPECT_FALSE(fifo.is_empty());
  EXPECT_TRUE(taken(fifo).empty());
}

TEST(BlockFifo, RefusesWhatHasNoRoom) {
  Memory memory;
  BlockFifo fifo{memory.bytes};
  EXPECT_FALSE(push(fifo, block_of(1024 - 15, 1)));
  ASSERT_TRUE(push(fifo, block_of(1024 - 16, 1)));  // all of it, with its note
  EXPECT_FALSE(push(fifo, {}));
  fifo.pop();
  EXPECT_TRUE(push(fifo, {}));
}

TEST(BlockFifo, RefusesMoreThanABlockMayHave) {
  std::vector<std::byte> memory(BlockFifo::memory_for(0) + 16);
  const std::size_t off = reinterpret_cast<std::uintptr_t>(memory.data()) % 16;
  BlockFifo fifo{MutableBytes{memory}.subspan(off == 0 ? 0 : 16 - off)};
  EXPECT_FALSE(push(fifo, block_of(limits::max_block + 1, 1)));
  EXPECT_TRUE(push(fifo, block_of(limits::max_block, 1)));
}

// Against a plain deque, for as long as it takes to go round many times.
TEST(BlockFifo, IsAQueueWhateverComes) {
  std::mt19937 dice{17};
  Memory memory;
  BlockFifo fifo{memory.bytes};
  std::deque<Buffer> model;
  unsigned refused = 0;
  for (unsigned step = 0; step < 20'000; ++step) {
    if (dice() % 2 == 0) {
      const Buffer block = block_of(dice() % 300, step % 256);
      if (push(fifo, block))
        model.push_back(block);
      else
        ++refused;
    } else if (!model.empty()) {
      ASSERT_EQ(taken(fifo), model.front()) << "step " << step;
      model.pop_front();
    }
    ASSERT_EQ(fifo.blocks(), model.size());
    std::size_t cost = 0;
    for (const Buffer& block : model) cost += BlockFifo::cost(block.size());
    ASSERT_EQ(fifo.bytes(), cost);
  }
  EXPECT_GT(refused, 100u);
}

TEST(BlockFifo, MemoryForHoldsWhatItSays) {
  constexpr std::size_t cost = 100'000;
  constexpr std::size_t usual = 60;
  std::vector<std::byte> memory(BlockFifo::memory_for(cost) + 16);
  const std::size_t off = reinterpret_cast<std::uintptr_t>(memory.data()) % 16;
  BlockFifo fifo{
      MutableBytes{memory}.subspan(off == 0 ? 0 : 16 - off, BlockFifo::memory_for(cost))};
  // A long block in the way, then short ones going round.
  ASSERT_TRUE(push(fifo, block_of(limits::max_block, 1)));
  const auto fill = [&] {
    while (fifo.bytes() + BlockFifo::cost(usual) <= cost)
      if (!push(fifo, block_of(usual, 2))) return false;
    return true;
  };
  for (unsigned step = 0; step < 10'000; ++step) {
    ASSERT_TRUE(fill()) << "step " << step << ", with " << fifo.bytes();
    fifo.pop();
  }
}

TEST(BlockFifo, WipeOverwritesWhatWasUsedAndNoMore) {
  Memory memory;
  memory.bytes.fill(std::byte{0xee});
  BlockFifo fifo{memory.bytes};
  ASSERT_TRUE(push(fifo, block_of(100, 0xaa)));
  ASSERT_TRUE(push(fifo, block_of(100, 0xbb)));
  fifo.pop();
  fifo.pop();
  ASSERT_TRUE(push(fifo, block_of(10, 0xcc)));
  fifo.wipe();
  EXPECT_TRUE(fifo.is_empty());
  EXPECT_EQ(fifo.bytes(), 0u);
  constexpr std::size_t used = 2 * 128;
  const Bytes all{memory.bytes};
  EXPECT_EQ(std::ranges::count(all.first(used), std::byte{0}), std::ptrdiff_t{used});
  EXPECT_EQ(std::ranges::count(all.subspan(used), std::byte{0xee}), std::ptrdiff_t{1024 - used});
  EXPECT_TRUE(push(fifo, block_of(1024 - 16, 1)));
}

TEST(BlockFifo, RunningEmptyItStaysInItsFirstBytes) {
  Memory memory;
  memory.bytes.fill(std::byte{0xee});
  BlockFifo fifo{memory.bytes};
  for (unsigned i = 0; i < 100; ++i) {
    ASSERT_TRUE(push(fifo, block_of(100, i)));
    ASSERT_EQ(taken(fifo), block_of(100, i));
  }
  EXPECT_EQ(memory.bytes[128], std::byte{0xee});
}

}  // namespace
}  // namespace penstock
