// A frame that touches an inaccessible page at one end, and known bytes at the other: who
// reads or writes a byte too many is caught.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"

namespace penstock {

class GuardedFrame {
 public:
  enum class Guard { before, after };

  GuardedFrame(std::size_t size, Guard guard) : map_(take()), size_(size), guard_(guard) {
    std::memset(map_ + page, canary, room);
  }
  GuardedFrame(GuardedFrame&& other) noexcept
      : map_(std::exchange(other.map_, nullptr)), size_(other.size_), guard_(other.guard_) {}
  GuardedFrame& operator=(GuardedFrame&&) = delete;
  ~GuardedFrame() {
    if (map_ != nullptr) unused().push_back(map_);
  }

  [[nodiscard]] std::byte* data() const {
    return map_ + page + (guard_ == Guard::after ? room - size_ : 0);
  }
  [[nodiscard]] MutableBytes bytes() const { return {data(), size_}; }
  // The accessible bytes around the frame are as they were.
  [[nodiscard]] bool is_intact_around() const {
    const Bytes all{map_ + page, room};
    const Bytes around = guard_ == Guard::after ? all.first(room - size_) : all.subspan(size_);
    // Every byte is as the one before it.
    return load_u8(around.data()) == canary &&
           std::memcmp(around.data(), around.data() + 1, around.size() - 1) == 0;
  }

 private:
  static constexpr std::size_t page = 4096;
  static constexpr std::size_t room = 3 * page;
  static constexpr std::uint8_t canary = 0xc3;
  static_assert(room >= limits::max_frame_size);

  // Mappings that were given back: the system takes longer to make one than a frame to seal.
  static std::vector<std::byte*>& unused() {
    static std::vector<std::byte*> mappings;
    return mappings;
  }
  static std::byte* take() {
    if (unused().empty()) return map();
    std::byte* const mapping = unused().back();
    unused().pop_back();
    return mapping;
  }
  static std::byte* map() {
    void* const at = ::mmap(nullptr, room + 2 * page, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    EXPECT_NE(at, MAP_FAILED);
    auto* const mapping = static_cast<std::byte*>(at);
    EXPECT_EQ(::mprotect(mapping + page, room, PROT_READ | PROT_WRITE), 0);
    return mapping;
  }

  std::byte* map_;
  std::size_t size_;
  Guard guard_;
};

}  // namespace penstock
