// Blocks that wait for their frame, in order, in one ring of bytes. Each block's bytes are in one
// piece. Nothing is allocated, and memory that no block has reached yet is never touched. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "penstock/base/bytes.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/wire/block.hpp"

namespace penstock {

struct BlockNote {
  Time queued_at{};
  BlockKind kind{};
  std::uint8_t dscp = 0;  // of the packet in it; 0 where nobody asked
};

class BlockFifo {
 public:
  struct Block {
    BlockNote note;
    MutableBytes bytes;
  };

  // Memory for blocks that take `cost` bytes in frames, if they are of 60 bytes or more on
  // average (what Ethernet packets are): each has a note of 16 bytes with it, and the ring's end
  // may stay unused, as may what the longest block needs in one piece.
  [[nodiscard]] static constexpr std::size_t memory_for(std::size_t cost) {
    const std::size_t blocks = cost + cost / 4 + 2 * record(limits::max_block);
    return (blocks + grain - 1) / grain * grain;
  }
  // What a block takes in frames.
  [[nodiscard]] static constexpr std::size_t cost(std::size_t length) {
    return block_header + length;
  }

  // `memory` is the caller's, aligned to 16 bytes, and outlives the queue.
  explicit BlockFifo(MutableBytes memory);

  [[nodiscard]] bool is_empty() const { return blocks_ == 0; }
  [[nodiscard]] std::size_t blocks() const { return blocks_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  // their cost

  // Copies. False: there is no room, and nothing changed.
  [[nodiscard]] bool push(const BlockNote& note, std::span<const Bytes> pieces);
  // The oldest; the queue is not empty. Its bytes may be changed, and stay until it is popped.
  [[nodiscard]] Block front() const;
  void pop();

  // Forgets all blocks and overwrites every byte that one ever stood in.
  void wipe();

 private:
  static constexpr std::size_t grain = 16;
  struct Header {
    Time queued_at;
    std::uint32_t length;
    BlockKind kind;
    std::uint8_t dscp;
    std::uint16_t unused;
  };
  static_assert(sizeof(Header) == grain);

  [[nodiscard]] static constexpr std::size_t record(std::size_t length) {
    return (sizeof(Header) + length + grain - 1) / grain * grain;
  }
  [[nodiscard]] Header header_at(std::size_t at) const;
  // Where `size` bytes in one piece are free; memory_.size() if nowhere.
  [[nodiscard]] std::size_t place_for(std::size_t size) const;

  MutableBytes memory_;
  std::size_t head_ = 0;     // of the oldest
  std::size_t tail_ = 0;     // behind the newest
  std::size_t end_ = 0;      // where the head goes back to the start; only while tail_ <= head_
  std::size_t used_to_ = 0;  // no block ever stood beyond
  std::size_t blocks_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace penstock
