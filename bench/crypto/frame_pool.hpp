// Frames in memory as a data plane has them: each in a packet buffer of its own, and more
// than 1.5 MB of them, so that a pass over all does not run from the first-level cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "penstock/wire/frame.hpp"

namespace penstock::bench {

using Frames = std::span<std::byte* const>;

class FramePool {
 public:
  explicit FramePool(FrameShape shape) : shape_(shape) {
    constexpr std::size_t touched = 3 << 19;
    const std::size_t count = round_up(touched / shape.size);
    // rte_mbuf, headroom, and data room with some space behind the frame.
    const std::size_t stride = 128 + 128 + std::max<std::size_t>(2048, round_up(shape.size) + 64);
    memory_.resize(count * stride + 64);
    std::byte* at = memory_.data();
    at += -reinterpret_cast<std::uintptr_t>(at) % 64;
    for (std::size_t i = 0; i < count; ++i) {
      frames_.push_back(at + i * stride);
      write_frame_header(std::span<std::byte, frame_layout::header>{frames_[i], 16},
                         {.spi = {1}, .sequence = {i}});
    }
  }

  [[nodiscard]] Frames frames() const { return frames_; }
  [[nodiscard]] FrameShape shape() const { return shape_; }

  // As if all frames had just come in.
  void copy_from(const FramePool& other) {
    for (std::size_t i = 0; i < frames_.size(); ++i)
      std::memcpy(frames_[i], other.frames_[i], shape_.size);
  }

 private:
  static constexpr std::size_t round_up(std::size_t size) { return (size + 63) / 64 * 64; }

  std::vector<std::byte> memory_;
  std::vector<std::byte*> frames_;
  FrameShape shape_;
};

}  // namespace penstock::bench
