#include "penstock/link/packer.hpp"

#include "penstock/base/check.hpp"

namespace penstock {

BlockSource::BlockSource(BlockKind kind, std::span<const Bytes> pieces) : kind_(kind) {
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

void FramePacker::begin(MutableBytes plaintext) {
  check(plaintext.size() > frame_layout::prologue && plaintext.size() <= limits::max_frame_size,
        "a frame has room for its prologue and is no longer than a frame");
  payload_ = cursor_ = plaintext.data() + frame_layout::prologue;
  end_ = plaintext.data() + plaintext.size();
  has_first_ = false;
}

std::size_t FramePacker::finish() {
  check(is_open(), "only an open frame can be finished");
  const std::size_t padding = room();
  std::memset(cursor_, 0, padding);
  const auto payload = static_cast<std::uint16_t>(end_ - payload_);
  std::byte* prologue = payload_ - frame_layout::prologue;
  store_be16(prologue + frame_layout::first, has_first_ ? first_ : payload);
  store_be16(prologue + frame_layout::flags, 0);
  payload_ = cursor_ = end_ = nullptr;
  return padding;
}

}  // namespace penstock
