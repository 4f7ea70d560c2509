// The payloads of frames in sequence order, into the blocks that the far side packed.
// A block that lies whole inside one frame is handed out where it lies; so are the parts of one
// that continues through a few, where the sink lends their frames. Any other is put together in a
// buffer of limits::max_block bytes, allocated once. Of a large TCP packet that touched a lost
// frame, the segments that are whole are handed out as smaller packets (penstock/wire/salvage.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/link/reassembly_sink.hpp"
#include "penstock/wire/block.hpp"
#include "penstock/wire/frame.hpp"
#include "penstock/wire/salvage.hpp"

namespace penstock {

class BlockReader {
 public:
  BlockReader() : assembly_(std::make_unique_for_overwrite<Assembly>()) {}

  // The next frame's prologue and payload.
  template <ReassemblySink Sink>
  void read(Bytes plaintext, Sink& sink);

  // So many frames are missing here: the open block is lost, but for what can be saved of it, and
  // reading goes on where the next block starts.
  template <ReassemblySink Sink>
  void lose(std::uint64_t frames, Sink& sink);

  // Nothing follows: the open block is lost.
  template <ReassemblySink Sink>
  void lose(Sink& sink);

  // The frames that a sink has lent may go: what is still needed of them is copied.
  void settle() {
    if (state_ == State::lent) copy_parts();
  }

  // Overwrites what packets have left in the buffer.
  void wipe();

 private:
  enum class State : std::uint8_t {
    between,      // the next byte starts a block
    inside,       // in a block that is being put together
    lent,         // the same, and all that came of it is where a sink lends it
    skipping,     // in a block that nobody wants
    lost,         // behind missing frames, looking for the next start
    lost_counted  // the same, and the block that they cut has been counted
  };

  template <ReassemblySink Sink>
  void resume(Bytes payload, std::size_t first, Sink& sink);
  template <ReassemblySink Sink>
  void go_on(Bytes payload, std::size_t first, Sink& sink);
  template <ReassemblySink Sink>
  void hand_out(Sink& sink);
  template <ReassemblySink Sink>
  void walk(Bytes blocks, Sink& sink);
  template <ReassemblySink Sink>
  [[nodiscard]] static bool is_wanted(BlockHeader header, Sink& sink);
  template <ReassemblySink Sink>
  void open(BlockHeader header, Bytes begun, bool is_wanted);
  template <ReassemblySink Sink>
  void keep(Bytes part);
  void put(Bytes part);
  void copy_parts();
  [[nodiscard]] bool is_broken() const { return is_missing_ || hole_count_ != 0; }
  // The open block goes on behind the missing frames, of this payload each; false: it ended there.
  [[nodiscard]] bool skip_missing(std::size_t payload);

  // With more holes than these, what is left of a block is one.
  static constexpr std::size_t max_holes = 16;
  // So many are what a packet of 9000 bytes has in frames of 1472.
  static constexpr std::size_t max_parts = 8;
  struct Assembly {
    std::size_t part_count;
    std::array<Bytes, max_parts> parts;  // of a block that is lent
    std::array<std::byte, limits::max_block> bytes;
    std::array<Hole, max_holes> holes;  // of an open block that lost frames
    std::uint32_t missing;              // frames behind what came of it, until the next one comes
  };

  std::unique_ptr<Assembly> assembly_;
  std::uint32_t have_ = 0;  // bytes of the open block that are in the assembly, parts or holes
  std::uint32_t most_ = 0;  // that ever were
  std::uint32_t left_ = 0;  // bytes of it still to come; never 0 while one is open
  BlockKind kind_{};
  State state_ = State::between;
  std::uint8_t hole_count_ = 0;
  bool is_missing_ = false;  // the assembly says how many frames before the next one
};

template <ReassemblySink Sink>
void BlockReader::read(Bytes plaintext, Sink& sink) {
  if (plaintext.size() >= frame_layout::prologue) [[likely]] {
    const std::size_t first = load_be16(&plaintext[frame_layout::first]);
    const std::uint16_t flags = load_be16(&plaintext[frame_layout::flags]);
    const Bytes payload = plaintext.subspan(frame_layout::prologue);
    if (flags == 0 && first <= payload.size()) [[likely]] {
      resume(payload, first, sink);
      walk(payload.subspan(first), sink);
      return;
    }
  }
  sink.fault(ReassemblyFault::bad_prologue);
  state_ = State::lost_counted;
}

// Frames that a block goes through carry nothing else: how many are missing says where it goes on.
template <ReassemblySink Sink>
void BlockReader::lose(std::uint64_t frames, Sink& sink) {
  settle();
  if (state_ != State::inside || kind_ != BlockKind::offload_ethernet) return lose(sink);
  if (!is_broken()) sink.fault(ReassemblyFault::incomplete);
  if (!is_missing_) assembly_->missing = 0;
  is_missing_ = true;
  const std::uint64_t all = assembly_->missing + std::min<std::uint64_t>(frames, limits::max_block);
  assembly_->missing = static_cast<std::uint32_t>(std::min<std::uint64_t>(all, limits::max_block));
}

template <ReassemblySink Sink>
void BlockReader::lose(Sink& sink) {
  switch (state_) {
    case State::inside:
    case State::lent:
      if (!is_broken()) sink.fault(ReassemblyFault::incomplete);
      [[fallthrough]];
    case State::skipping:
      state_ = State::lost_counted;
      return;
    case State::between:
      state_ = State::lost;
      return;
    case State::lost:
    case State::lost_counted:
      return;
  }
}

// What stands before `first`: the end of the block before, or of one whose start is lost.
template <ReassemblySink Sink>
void BlockReader::resume(Bytes payload, std::size_t first, Sink& sink) {
  const bool starts_none = first == payload.size();
  if (is_missing_ && state_ == State::inside && !skip_missing(payload.size())) [[unlikely]] {
    hand_out(sink);
    state_ = State::lost_counted;
  }
  switch (state_) {
    case State::between:
      if (first != 0 && !starts_none) sink.fault(ReassemblyFault::bad_prologue);
      return;
    case State::inside:
    case State::lent:
    case State::skipping:
      go_on(payload, first, sink);
      return;
    case State::lost:
      if (first != 0 && !starts_none) sink.fault(ReassemblyFault::incomplete);
      [[fallthrough]];
    case State::lost_counted:
      if (!starts_none) state_ = State::between;
      return;
  }
}

template <ReassemblySink Sink>
void BlockReader::go_on(Bytes payload, std::size_t first, Sink& sink) {
  // After the block's end a frame starts the next block at once, or none at all.
  if (first != left_ && first != payload.size()) {
    sink.fault(ReassemblyFault::bad_prologue);
    state_ = State::between;
    return;
  }
  const bool is_kept = state_ != State::skipping;
  const Bytes part = payload.first(std::min<std::size_t>(left_, payload.size()));
  if (is_kept) keep<Sink>(part);
  left_ -= static_cast<std::uint32_t>(part.size());
  if (left_ > 0) return;
  if (is_kept) hand_out(sink);
  state_ = State::between;
}

template <ReassemblySink Sink>
void BlockReader::hand_out(Sink& sink) {
  if constexpr (LendingSink<Sink>) {
    if (state_ == State::lent) [[likely]] {
      const auto parts = std::span{assembly_->parts}.first(assembly_->part_count);
      if (sink.take(kind_, parts, have_)) return;
    }
  }
  settle();
  const MutableBytes block{assembly_->bytes.data(), have_};
  if (hole_count_ == 0) return sink.block(kind_, block);
  Salvage salvage{block, std::span{assembly_->holes}.first(hole_count_)};
  for (Bytes part = salvage.next(); !part.empty(); part = salvage.next()) sink.block(kind_, part);
}

template <ReassemblySink Sink>
void BlockReader::walk(Bytes blocks, Sink& sink) {
  while (blocks.size() >= block_header) {
    const BlockHeader header = read_block_header(blocks.data());
    if (header.kind == BlockKind::padding) return;
    blocks = blocks.subspan(block_header);
    const bool wanted = is_wanted(header, sink);
    if (header.length > blocks.size()) return open<Sink>(header, blocks, wanted);
    if (wanted) sink.block(header.kind, blocks.first(header.length));
    blocks = blocks.subspan(header.length);
  }
}

template <ReassemblySink Sink>
void BlockReader::open(BlockHeader header, Bytes begun, bool is_wanted) {
  kind_ = header.kind;
  left_ = header.length - static_cast<std::uint32_t>(begun.size());
  have_ = 0;
  hole_count_ = 0;
  is_missing_ = false;
  state_ = is_wanted ? State::inside : State::skipping;
  if (is_wanted) keep<Sink>(begun);
}

// What a sink lends need not be put together here: the copy that it makes of the packet does that.
template <ReassemblySink Sink>
void BlockReader::keep(Bytes part) {
  if constexpr (LendingSink<Sink>) {
    if (have_ == 0 && !is_broken()) {
      assembly_->part_count = 0;
      state_ = State::lent;
    }
    if (state_ == State::lent && assembly_->part_count < max_parts && !part.empty()) [[likely]] {
      assembly_->parts[assembly_->part_count++] = part;
      have_ += static_cast<std::uint32_t>(part.size());
      return;
    }
  }
  settle();
  put(part);
}

template <ReassemblySink Sink>
bool BlockReader::is_wanted(BlockHeader header, Sink& sink) {
  if (header.kind > BlockKind::control) [[unlikely]] {
    sink.fault(ReassemblyFault::unknown_kind);
    return false;
  }
  if (header.length > limits::max_block) [[unlikely]] {
    sink.fault(ReassemblyFault::bad_block);
    return false;
  }
  return true;
}

}  // namespace penstock
