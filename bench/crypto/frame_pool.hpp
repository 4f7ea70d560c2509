// Frames in memory as a data plane has them: apart by the size of a packet buffer, and
// more than 1 MB of them, so that a pass over all does not run from the first-level cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "penstock/wire/frame.hpp"

namespace penstock::bench {

class FramePool {
 public:
  static constexpr std::size_t count = 1024;

  explicit FramePool(FrameShape shape) : memory_(count * stride + 64), shape_(shape) {
    std::byte* at = memory_.data();
    at += -reinterpret_cast<std::uintptr_t>(at) % 64;
    for (std::size_t i = 0; i < count; ++i) {
      frames_.push_back(at + i * stride);
      write_frame_header(std::span<std::byte, frame_layout::header>{frames_[i], 16},
                         {.spi = {1}, .sequence = {i}});
    }
  }

  [[nodiscard]] std::span<std::byte* const> frames() const { return frames_; }
  [[nodiscard]] FrameShape shape() const { return shape_; }

  // As if all frames had just come in.
  void copy_from(const FramePool& other) {
    for (std::size_t i = 0; i < count; ++i) std::memcpy(frames_[i], other.frames_[i], shape_.size);
  }

 private:
  static constexpr std::size_t stride = 128 + 128 + 2048;  // rte_mbuf, headroom, data room

  std::vector<std::byte> memory_;
  std::vector<std::byte*> frames_;
  FrameShape shape_;
};

}  // namespace penstock::bench
