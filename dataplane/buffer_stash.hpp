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
  static constexpr std::size_t most_ahead = 32;

  // `ahead` more than are asked for, at most most_ahead, are taken where the pool has them: whoever
  // needs one at a time goes to the pool once for many.
  explicit BufferStash(rte_mempool* pool, std::size_t ahead = 0) : pool_(pool), ahead_(ahead) {}
  BufferStash(const BufferStash&) = delete;
  BufferStash& operator=(const BufferStash&) = delete;
  ~BufferStash() { rte_pktmbuf_free_bulk(buffers_.data(), static_cast<unsigned>(size_)); }

  // Makes sure that `count` buffers are here. False: the pool has too few; nothing changed.
  [[nodiscard]] bool ensure(std::size_t count) {
    return count <= size_ || (ahead_ != 0 && take(count + ahead_)) || take(count);
  }
  // A buffer of a pool is one segment with one owner; the rest of what an empty packet has is set
  // here, without a look at what was there.
  [[nodiscard]] rte_mbuf* pop() {
    check(size_ > 0, "ensure() comes before pop()");
    rte_mbuf* const buffer = buffers_[--size_];
    buffer->data_off = RTE_PKTMBUF_HEADROOM;
    buffer->port = RTE_MBUF_PORT_INVALID;
    buffer->ol_flags = 0;
    buffer->packet_type = 0;
    buffer->pkt_len = 0;
    buffer->data_len = 0;
    return buffer;
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  // So many in all.
  [[gnu::noinline]] bool take(std::size_t count) {
    check(count <= buffers_.size(), "a stash holds what the longest packet needs");
    const auto missing = static_cast<unsigned>(count - size_);
    if (rte_mempool_get_bulk(pool_, reinterpret_cast<void**>(buffers_.data() + size_), missing) !=
        0)
      return false;
    size_ = count;
    return true;
  }

  rte_mempool* pool_;
  std::size_t ahead_;
  std::size_t size_ = 0;
  std::array<rte_mbuf*, capacity + most_ahead> buffers_{};
};

// Where a frame stands in its mbuf: 64-byte aligned, room for the outer headers before it.
static_assert(RTE_PKTMBUF_HEADROOM % 64 == 0 && sizeof(rte_mbuf) % 64 == 0);
// A buffer of our pools begins right behind its mbuf, as buf_addr says, too: which would have to be
// fetched.
[[nodiscard]] inline std::byte* frame_in(rte_mbuf* buffer) {
  return reinterpret_cast<std::byte*>(buffer + 1) + RTE_PKTMBUF_HEADROOM;
}

}  // namespace penstock::dataplane
