#include "penstock/link/block_fifo.hpp"

#include <algorithm>
#include <cstring>

#include "penstock/base/check.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock {

BlockFifo::BlockFifo(MutableBytes memory) : memory_(memory.first(memory.size() / grain * grain)) {
  check(reinterpret_cast<std::uintptr_t>(memory.data()) % grain == 0,
        "a ring of blocks is aligned");
}

BlockFifo::Header BlockFifo::header_at(std::size_t at) const {
  Header header;
  std::memcpy(&header, &memory_[at], sizeof header);
  return header;
}

std::size_t BlockFifo::place_for(std::size_t size) const {
  const std::size_t nowhere = memory_.size();
  const bool goes_round = blocks_ > 0 && tail_ <= head_;
  if (goes_round) return head_ - tail_ >= size ? tail_ : nowhere;
  if (nowhere - tail_ >= size) return tail_;
  return head_ >= size ? 0 : nowhere;
}

bool BlockFifo::push(const BlockNote& note, std::span<const Bytes> pieces) {
  std::size_t length = 0;
  for (const Bytes piece : pieces) length += piece.size();
  if (length > limits::max_block) return false;
  const std::size_t size = record(length);
  const std::size_t at = place_for(size);
  if (at == memory_.size()) return false;

  const Header header{.queued_at = note.queued_at,
                      .length = static_cast<std::uint32_t>(length),
                      .kind = note.kind,
                      .dscp = note.dscp,
                      .unused = 0};
  std::byte* to = &memory_[at];
  std::memcpy(to, &header, sizeof header);
  to += sizeof header;
  for (const Bytes piece : pieces) {
    if (piece.empty()) continue;
    std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
  if (at < tail_) end_ = tail_;
  tail_ = at + size;
  used_to_ = std::max(used_to_, tail_);
  ++blocks_;
  bytes_ += cost(length);
  return true;
}

BlockFifo::Block BlockFifo::front() const {
  const Header header = header_at(head_);
  return {.note = {.queued_at = header.queued_at, .kind = header.kind, .dscp = header.dscp},
          .bytes = memory_.subspan(head_ + sizeof header, header.length)};
}

void BlockFifo::pop() {
  const std::size_t length = header_at(head_).length;
  const bool goes_round = tail_ <= head_;
  head_ += record(length);
  bytes_ -= cost(length);
  if (--blocks_ == 0) {
    head_ = tail_ = 0;  // a queue that runs empty now and then stays in its first pages
  } else if (goes_round && head_ == end_) {
    head_ = 0;
  }
}

void BlockFifo::wipe() {
  penstock::wipe(memory_.first(used_to_));
  head_ = tail_ = end_ = used_to_ = blocks_ = bytes_ = 0;
}

}  // namespace penstock
