// Memory for packets that wait: they are as secret as what the frames carry, so it is left out of
// core dumps and, where the process may lock memory, out of swap. Pages that were never touched
// take no memory.
#pragma once

#include <cstddef>
#include <utility>

#include "penstock/base/bytes.hpp"

namespace penstock {

class QueueMemory {
 public:
  // Zeros, on a page boundary. Aborts when there are no addresses left.
  explicit QueueMemory(std::size_t size);
  QueueMemory(QueueMemory&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  QueueMemory& operator=(QueueMemory&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~QueueMemory();

  [[nodiscard]] MutableBytes bytes() const { return bytes_; }

 private:
  MutableBytes bytes_;
};

}  // namespace penstock
