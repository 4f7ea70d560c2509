// A value that one thread writes now and then and another reads whole: a sequence lock.
// Source: H. Boehm, "Can seqlocks get along with programming language memory models?", 2012.
#pragma once

#include <sched.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace penstock::dataplane {

template <class T>
class Published {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(std::uint64_t) == 0);
  static constexpr std::size_t words = sizeof(T) / sizeof(std::uint64_t);

 public:
  // The one thread that owns the value.
  void write(const T& value) {
    const auto from = std::bit_cast<std::array<std::uint64_t, words>>(value);
    const std::uint32_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    for (std::size_t i = 0; i < words; ++i) words_[i].store(from[i], std::memory_order_relaxed);
    sequence_.store(sequence + 2, std::memory_order_release);
  }

  // Any thread: as last written, at first all zeros.
  [[nodiscard]] T read() const {
    std::array<std::uint64_t, words> to;
    for (;;) {
      const std::uint32_t before = sequence_.load(std::memory_order_acquire);
      for (std::size_t i = 0; i < words; ++i) to[i] = words_[i].load(std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_acquire);
      const std::uint32_t after = sequence_.load(std::memory_order_relaxed);
      if (before == after && before % 2 == 0) return std::bit_cast<T>(to);
      sched_yield();  // the writer may have been preempted in the middle, on this very core
    }
  }

 private:
  std::atomic<std::uint32_t> sequence_{0};  // odd while the owner writes
  std::array<std::atomic<std::uint64_t>, words> words_{};
};

}  // namespace penstock::dataplane
