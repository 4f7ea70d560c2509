// What a link whose frames are timed has to say beside packets, until its tick comes: handshake
// messages, responses, reports, and the frames that confirm a session. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/keys/secret.hpp"
#include "penstock/wire/block.hpp"

namespace penstock::dataplane {

struct OutboundSa;

class ControlQueue {
 public:
  static constexpr std::size_t capacity = 8;
  static constexpr std::size_t max_block = control_header + limits::handshake_message;

  struct Entry {
    OutboundSa* sa = nullptr;
    std::size_t length = 0;
    std::array<std::byte, max_block> bytes;

    [[nodiscard]] Bytes block() const { return Bytes{bytes}.first(length); }
  };

  [[nodiscard]] bool is_empty() const { return count_ == 0 && frame_count_ == 0; }

  // --- blocks ------------------------------------------------------------------------------
  [[nodiscard]] bool has_block() const { return count_ != 0; }
  // The oldest; has_block().
  [[nodiscard]] const Entry& front() const { return entries_[first_]; }
  // Overwrites it.
  void pop() {
    wipe(MutableBytes{entries_[first_].bytes}.first(entries_[first_].length));
    first_ = (first_ + 1) % capacity;
    --count_;
  }
  // Copies. False: full, or longer than any control block.
  [[nodiscard]] bool push(OutboundSa& sa, Bytes block) {
    if (block.size() > max_block || count_ == capacity) return false;
    Entry& entry = entries_[place(count_++)];
    entry.sa = &sa;
    entry.length = block.size();
    std::ranges::copy(block, entry.bytes.begin());
    return true;
  }

  // --- frames of an SA, whatever is in them ------------------------------------------------
  // The SA that asked first; null: none.
  [[nodiscard]] OutboundSa* first_frame() const { return frame_count_ == 0 ? nullptr : frames_[0]; }
  // False: full.
  [[nodiscard]] bool push_frame(OutboundSa& sa) {
    const auto asked = std::span{frames_}.first(frame_count_);
    if (std::ranges::find(asked, &sa) != asked.end()) return true;
    if (frame_count_ == capacity) return false;
    frames_[frame_count_++] = &sa;
    return true;
  }
  // A frame of the SA was packed: any will do.
  void drop_frame(const OutboundSa& sa) {
    const auto asked = std::span{frames_}.first(frame_count_);
    frame_count_ -= std::ranges::remove(asked, &sa).size();
  }

  // The SA is no more; nothing of it waits afterwards. Moves entries: none is being packed.
  void forget(const OutboundSa& sa) {
    drop_frame(sa);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (entries_[place(i)].sa == &sa) continue;
      if (kept != i) entries_[place(kept)] = entries_[place(i)];
      ++kept;
    }
    for (std::size_t i = kept; i < count_; ++i) wipe(MutableBytes{entries_[place(i)].bytes});
    count_ = kept;
  }

 private:
  [[nodiscard]] std::size_t place(std::size_t i) const { return (first_ + i) % capacity; }

  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::array<Entry, capacity> entries_;
  std::size_t frame_count_ = 0;
  std::array<OutboundSa*, capacity> frames_{};
};

}  // namespace penstock::dataplane
