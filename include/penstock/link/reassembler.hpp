// Reassembly: plaintexts of one SA, in any order, into the blocks that the far side
// packed, in sequence order. A gap is given up when `limits::reorder_window` later frames
// have arrived, when it is older than the wait, or when the budget of held frames is
// spent; a lost frame then costs only the blocks that touched it.
//
// Knows bytes, not mbufs: a frame is a span that stays valid until it is released.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/wire/block.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

// What only a peer with the key, or a loss, can cause. Counted, never trusted.
enum class ReassemblyFault : std::uint8_t {
  late_frame,       // its number was already given up (or delivered)
  bad_prologue,     // flags not zero, or `first` beyond the payload or inside the block before
  bad_block,        // longer than limits::max_block
  unknown_kind,     // skipped by its length
  incomplete,       // a block that touched a lost frame
};

template <class Sink>
concept ReassemblySink = requires(Sink sink, BlockKind kind, Bytes block, void* frame,
                                  ReassemblyFault fault) {
  { sink.block(kind, block) } noexcept;  // a whole block; the span dies when the call returns
  { sink.release(frame) } noexcept;      // the frame's bytes are no longer needed
  { sink.fault(fault) } noexcept;
};

// Frames that all reassemblers of one worker hold back together. One thread.
struct HeldBudget {
  std::uint32_t held = 0;
  std::uint32_t limit = 0;
};

class Reassembler {
 public:
  // `wait` in the caller's ticks; `budget` outlives the reassembler.
  Reassembler(HeldBudget& budget, std::uint64_t wait);
  ~Reassembler();
  Reassembler(Reassembler&&) noexcept;
  Reassembler& operator=(Reassembler&&) noexcept;

  // An admitted frame: `plaintext` is prologue and payload. Every frame given here is
  // released exactly once, now or later.
  template <ReassemblySink Sink>
  void accept(SequenceNumber sequence, Bytes plaintext, void* frame, std::uint64_t now, Sink& sink);

  // Gives up the oldest gap if it is due; call when `deadline()` has passed.
  template <ReassemblySink Sink>
  void expire(std::uint64_t now, Sink& sink);

  // Gives up everything: what is whole is delivered, every held frame released.
  template <ReassemblySink Sink>
  void flush(Sink& sink);

  [[nodiscard]] bool has_gap() const;
  // When the oldest gap is given up; meaningful while has_gap().
  [[nodiscard]] std::uint64_t deadline() const;
};

}  // namespace penstock
