// Empty mbufs taken from the pool ahead of need, so that a step that begins something can also
// finish it. One thread.
#pragma once

#include <array>
#include <cstddef>

#include <rte_mbuf.h>

#include "penstock/base/check.hpp"

namespace penstock::dataplane {

class BufferStash {
 public:
  static constexpr std::size_t capacity = 512;

  explicit BufferStash(rte_mempool* pool) : pool_(pool) {}
  BufferStash(const BufferStash&) = delete;
  BufferStash& operator=(const BufferStash&) = delete;
  ~BufferStash() { rte_pktmbuf_free_bulk(buffers_.data(), static_cast<unsigned>(size_)); }

  // Makes sure that `count` buffers are here. False: the pool has too few; nothing changed.
  [[nodiscard]] bool ensure(std::size_t count) {
    if (count <= size_) return true;
    check(count <= capacity, "a stash holds what the longest packet needs");
    const auto missing = static_cast<unsigned>(count - size_);
    if (rte_pktmbuf_alloc_bulk(pool_, buffers_.data() + size_, missing) != 0) return false;
    size_ = count;
    return true;
  }
  [[nodiscard]] rte_mbuf* pop() {
    check(size_ > 0, "ensure() comes before pop()");
    return buffers_[--size_];
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  rte_mempool* pool_;
  std::size_t size_ = 0;
  std::array<rte_mbuf*, capacity> buffers_{};
};

// Where a frame stands in its mbuf: 64-byte aligned, room for the outer headers before it.
static_assert(RTE_PKTMBUF_HEADROOM % 64 == 0 && sizeof(rte_mbuf) % 64 == 0);
[[nodiscard]] inline std::byte* frame_in(rte_mbuf* buffer) {
  return static_cast<std::byte*>(buffer->buf_addr) + RTE_PKTMBUF_HEADROOM;
}

}  // namespace penstock::dataplane
