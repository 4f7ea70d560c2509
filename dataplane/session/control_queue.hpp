// What a link whose frames are timed has to say beside packets, until its tick comes: handshake
// messages, responses, reports, and the frames that confirm a session. One thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"
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
    bool is_frame = false;  // no block: any frame of this SA will do
    std::array<std::byte, max_block> bytes;

    [[nodiscard]] Bytes block() const { return Bytes{bytes}.first(length); }
  };

  [[nodiscard]] bool is_empty() const { return count_ == 0; }
  // The oldest; not empty.
  [[nodiscard]] const Entry& front() const { return entries_[first_]; }
  void pop() {
    first_ = (first_ + 1) % capacity;
    --count_;
  }

  // Copies. False: full, or longer than any control block.
  [[nodiscard]] bool push(OutboundSa& sa, Bytes block) {
    if (block.size() > max_block) return false;
    Entry* const entry = add(sa);
    if (entry == nullptr) return false;
    entry->length = block.size();
    std::ranges::copy(block, entry->bytes.begin());
    return true;
  }
  // A frame of the SA, whatever is in it. False: full.
  [[nodiscard]] bool push_frame(OutboundSa& sa) {
    for (std::size_t i = 0; i < count_; ++i)
      if (entries_[place(i)].sa == &sa) return true;
    Entry* const entry = add(sa);
    if (entry == nullptr) return false;
    entry->is_frame = true;
    return true;
  }
  // The SA is no more; nothing of it waits afterwards. Moves entries: none is being packed.
  void forget(const OutboundSa& sa) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (entries_[place(i)].sa == &sa) continue;
      if (kept != i) entries_[place(kept)] = entries_[place(i)];
      ++kept;
    }
    count_ = kept;
  }

 private:
  [[nodiscard]] std::size_t place(std::size_t i) const { return (first_ + i) % capacity; }
  [[nodiscard]] Entry* add(OutboundSa& sa) {
    if (count_ == capacity) return nullptr;
    Entry& entry = entries_[place(count_++)];
    entry.sa = &sa;
    entry.is_frame = false;
    return &entry;
  }

  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::array<Entry, capacity> entries_;
};

}  // namespace penstock::dataplane
