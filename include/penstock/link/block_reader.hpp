// The payloads of frames in sequence order, into the blocks that the far side packed.
// A block that lies whole inside one frame is handed out where it lies; one that
// continues through several is put together in a buffer of limits::max_block bytes,
// allocated once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/link/reassembly_sink.hpp"
#include "penstock/wire/block.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

class BlockReader {
 public:
  BlockReader() : assembly_(std::make_unique_for_overwrite<std::byte[]>(limits::max_block)) {}

  // The next frame's prologue and payload.
  template <ReassemblySink Sink>
  void read(Bytes plaintext, Sink& sink);

  // One or more frames are missing here: the open block is lost, and reading goes on
  // where the next block starts.
  template <ReassemblySink Sink>
  void lose(Sink& sink);

  // Overwrites what packets have left in the buffer.
  void wipe();

 private:
  enum class State : std::uint8_t {
    between,      // the next byte starts a block
    inside,       // in a block that is being put together
    skipping,     // in a block that nobody wants
    lost,         // behind missing frames, looking for the next start
    lost_counted  // the same, and the block that they cut has been counted
  };

  template <ReassemblySink Sink>
  void resume(Bytes payload, std::size_t first, Sink& sink);
  template <ReassemblySink Sink>
  void go_on(Bytes payload, std::size_t first, Sink& sink);
  template <ReassemblySink Sink>
  void walk(Bytes blocks, Sink& sink);
  template <ReassemblySink Sink>
  [[nodiscard]] static bool is_wanted(BlockHeader header, Sink& sink);
  void open(BlockHeader header, Bytes begun, bool is_wanted);
  void put(Bytes part);

  std::unique_ptr<std::byte[]> assembly_;
  std::uint32_t have_ = 0;  // bytes of the open block that are in assembly_
  std::uint32_t most_ = 0;  // that ever were
  std::uint32_t left_ = 0;  // bytes of it still to come; never 0 while one is open
  BlockKind kind_{};
  State state_ = State::between;
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

template <ReassemblySink Sink>
void BlockReader::lose(Sink& sink) {
  switch (state_) {
    case State::inside:
      sink.fault(ReassemblyFault::incomplete);
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
  switch (state_) {
    case State::between:
      if (first != 0 && !starts_none) sink.fault(ReassemblyFault::bad_prologue);
      return;
    case State::inside:
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
  const bool is_kept = state_ == State::inside;
  const Bytes part = payload.first(std::min<std::size_t>(left_, payload.size()));
  if (is_kept) put(part);
  left_ -= static_cast<std::uint32_t>(part.size());
  if (left_ > 0) return;
  state_ = State::between;
  if (is_kept) sink.block(kind_, Bytes{assembly_.get(), have_});
}

template <ReassemblySink Sink>
void BlockReader::walk(Bytes blocks, Sink& sink) {
  while (blocks.size() >= block_header) {
    const BlockHeader header = read_block_header(blocks.data());
    if (header.kind == BlockKind::padding) return;
    blocks = blocks.subspan(block_header);
    const bool wanted = is_wanted(header, sink);
    if (header.length > blocks.size()) return open(header, blocks, wanted);
    if (wanted) sink.block(header.kind, blocks.first(header.length));
    blocks = blocks.subspan(header.length);
  }
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
