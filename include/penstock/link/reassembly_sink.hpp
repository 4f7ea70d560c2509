// Where reassembly puts what it finds.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "penstock/base/bytes.hpp"
#include "penstock/wire/block.hpp"

namespace penstock {

// What only a peer with the key, or a loss, can cause. Counted, never trusted.
enum class ReassemblyFault : std::uint8_t {
  late_frame,    // its number was already given up (or delivered)
  bad_prologue,  // flags not zero, or `first` beyond the payload or not where the block before ends
  bad_block,     // longer than limits::max_block
  unknown_kind,  // skipped by its length
  incomplete,    // a block that touched a lost frame
};

template <class Sink>
concept ReassemblySink =
    requires(Sink sink, BlockKind kind, Bytes block, void* frame, ReassemblyFault fault) {
      { sink.block(kind, block) } noexcept;  // a whole block; the span dies when the call returns
      { sink.release(frame) } noexcept;      // the frame's bytes are no longer needed
      { sink.fault(fault) } noexcept;
    };

// A sink that lends keeps the bytes of the frames that it was to release until it has settled the
// reassembler. It is given the parts of a block where they lie, `length` bytes together, none of
// them empty; what it does not take, it is given again in one piece.
template <class Sink>
concept LendingSink =
    ReassemblySink<Sink> && requires(Sink sink, BlockKind kind, std::span<const Bytes> parts) {
      { sink.take(kind, parts, std::size_t{}) } noexcept -> std::same_as<bool>;
    };

}  // namespace penstock
