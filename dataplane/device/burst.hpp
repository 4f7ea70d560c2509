// A fixed array of mbufs that owns what is in it and frees what is left.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include <rte_mbuf.h>

namespace penstock::dataplane {

template <std::size_t Capacity>
class Burst {
 public:
  Burst() = default;
  Burst(Burst&& other) noexcept : packets_(other.packets_), size_(std::exchange(other.size_, 0)) {}
  Burst& operator=(Burst&& other) noexcept {
    if (this != &other) {
      clear();
      packets_ = other.packets_;
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~Burst() { clear(); }

  [[nodiscard]] static constexpr std::size_t capacity() { return Capacity; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == Capacity; }
  [[nodiscard]] rte_mbuf* operator[](std::size_t index) const { return packets_[index]; }
  [[nodiscard]] std::span<rte_mbuf* const> view() const { return {packets_.data(), size_}; }

  // Takes ownership; the burst must not be full.
  void push(rte_mbuf* packet) { packets_[size_++] = packet; }

  // Hands all packets to the caller, who then owns them; valid until the next push().
  [[nodiscard]] std::span<rte_mbuf*> take() {
    return {packets_.data(), std::exchange(size_, std::size_t{0})};
  }

  void clear() {
    if (size_ != 0) rte_pktmbuf_free_bulk(packets_.data(), static_cast<unsigned>(size_));
    size_ = 0;
  }

 private:
  std::array<rte_mbuf*, Capacity> packets_{};
  std::size_t size_ = 0;
};

}  // namespace penstock::dataplane
