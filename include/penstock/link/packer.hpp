// Packing: blocks into the plaintext of one frame after another (RFC 9347's idea, with
// explicit lengths). Knows bytes, not mbufs: the caller brings frames and takes them away.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "penstock/base/bytes.hpp"
#include "penstock/base/check.hpp"
#include "penstock/base/copy.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/wire/block.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

// A block still to be packed: its bytes as up to four pieces (say a virtio-net header,
// the MAC addresses, a VLAN tag, the rest), and how far packing has come. A block longer
// than limits::max_block can be packed, but the far side will skip it.
class BlockSource {
 public:
  static constexpr std::size_t max_pieces = 4;

  BlockSource(BlockKind kind, Bytes only);
  BlockSource(BlockKind kind, std::span<const Bytes> pieces);

  [[nodiscard]] BlockKind kind() const { return kind_; }
  [[nodiscard]] std::uint32_t length() const { return length_; }  // without the block header
  [[nodiscard]] bool is_started() const { return is_started_; }   // its header is in a frame
  [[nodiscard]] bool is_done() const { return is_started_ && left_ == 0; }

 private:
  friend class FramePacker;
  std::array<Bytes, max_pieces> pieces_{};
  std::uint32_t length_ = 0;
  std::uint32_t left_ = 0;
  std::uint8_t piece_ = 0;
  BlockKind kind_;
  bool is_started_ = false;
};

// The plaintext of one open frame.
class FramePacker {
 public:
  // Starts on an empty frame; `plaintext` (prologue and payload) stays the caller's.
  void begin(MutableBytes plaintext);
  [[nodiscard]] bool is_open() const { return cursor_ != nullptr; }
  [[nodiscard]] bool is_empty() const { return used() == 0; }
  // Less than a block header is left: no further block can start here.
  [[nodiscard]] bool is_full() const { return room() < block_header; }
  [[nodiscard]] std::size_t room() const { return static_cast<std::size_t>(end_ - cursor_); }
  [[nodiscard]] std::size_t used() const { return static_cast<std::size_t>(cursor_ - payload_); }

  // Copies as much of `block` as fits. Afterwards either the block is done or the frame is
  // full; a block that was started in an earlier frame continues here, and only as the
  // frame's first.
  void append(BlockSource& block);

  // Pads with zeros, writes the prologue, and closes. Returns the bytes of padding.
  std::size_t finish();

 private:
  void start(BlockSource& block);

  std::byte* payload_ = nullptr;
  std::byte* cursor_ = nullptr;
  std::byte* end_ = nullptr;
  std::uint16_t first_ = 0;
  bool has_first_ = false;
};

// How many frames beyond the open one a block of `length` bytes needs when `room` bytes
// are left in the open frame (0: none is open) and every further frame takes `payload`.
[[nodiscard]] inline std::size_t frames_needed(std::size_t length, std::size_t room,
                                               std::size_t payload) {
  const std::size_t here = room < block_header ? 0 : room;  // too little for a header: padding
  const std::size_t whole = block_header + length;
  if (whole <= here) return 0;
  const std::size_t rest = whole - here;
  return rest <= payload ? 1 : (rest + payload - 1) / payload;  // a division costs what a copy does
}

// --- once a packet or a frame: inline -------------------------------------------------

inline BlockSource::BlockSource(BlockKind kind, Bytes only) : pieces_{only}, kind_(kind) {
  check(only.size() < std::size_t{1} << 24, "a block's length is be24");
  length_ = left_ = static_cast<std::uint32_t>(only.size());
}

inline BlockSource::BlockSource(BlockKind kind, std::span<const Bytes> pieces) : kind_(kind) {
  check(pieces.size() <= max_pieces, "a block has at most four pieces");
  std::size_t length = 0;
  std::size_t filled = 0;
  for (const Bytes piece : pieces) {
    if (piece.empty()) continue;
    pieces_[filled++] = piece;
    length += piece.size();
  }
  check(length < std::size_t{1} << 24, "a block's length is be24");
  length_ = left_ = static_cast<std::uint32_t>(length);
}

inline void FramePacker::begin(MutableBytes plaintext) {
  check(plaintext.size() > frame_layout::prologue && plaintext.size() <= limits::max_frame_size,
        "a frame has room for its prologue and is no longer than a frame");
  payload_ = cursor_ = plaintext.data() + frame_layout::prologue;
  end_ = plaintext.data() + plaintext.size();
  has_first_ = false;
}

inline void FramePacker::start(BlockSource& block) {
  if (!has_first_) {
    first_ = static_cast<std::uint16_t>(used());
    has_first_ = true;
  }
  write_block_header(cursor_, {.kind = block.kind_, .length = block.length_});
  cursor_ += block_header;
  block.is_started_ = true;
}

inline void FramePacker::append(BlockSource& block) {
  if (!block.is_started_) {
    if (is_full()) return;
    start(block);
  }
  // In variables of its own: what is copied might be any of the others.
  std::byte* at = cursor_;
  std::byte* const end = end_;
  std::uint32_t left = block.left_;
  while (left > 0 && at != end) {
    Bytes& piece = block.pieces_[block.piece_];
    const std::size_t length = std::min(piece.size(), static_cast<std::size_t>(end - at));
    const Bytes part = piece.first(length);
    piece = piece.subspan(length);
    if (piece.empty()) ++block.piece_;
    left -= static_cast<std::uint32_t>(length);
    at = copy_bytes(at, part);
  }
  block.left_ = left;
  cursor_ = at;
}

inline std::size_t FramePacker::finish() {
  check(is_open(), "only an open frame can be finished");
  const std::size_t padding = room();
  if (padding != 0) std::memset(cursor_, 0, padding);
  const auto payload = static_cast<std::uint16_t>(end_ - payload_);
  std::byte* prologue = payload_ - frame_layout::prologue;
  store_be16(prologue + frame_layout::first, has_first_ ? first_ : payload);
  store_be16(prologue + frame_layout::flags, 0);
  payload_ = cursor_ = end_ = nullptr;
  return padding;
}

}  // namespace penstock
