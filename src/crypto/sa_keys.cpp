// ExpandedKeys and SealKeys: the keys of one SA, and the numbers they are used with.
#include <utility>

#include "penstock/base/check.hpp"
#include "penstock/crypto/frame_engine.hpp"

namespace penstock {

ExpandedKeys::ExpandedKeys(Protection protection, FrameShape shape, std::size_t size)
    : memory_(size == 0 ? nullptr : secret_memory::allocate(size)),
      size_(static_cast<std::uint32_t>(size)),
      shape_(shape),
      protection_(protection) {}

ExpandedKeys::ExpandedKeys(ExpandedKeys&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)),
      size_(other.size_),
      shape_(other.shape_),
      protection_(other.protection_) {}

ExpandedKeys& ExpandedKeys::operator=(ExpandedKeys&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(size_, other.size_);
  std::swap(shape_, other.shape_);
  std::swap(protection_, other.protection_);
  return *this;
}

ExpandedKeys::~ExpandedKeys() {
  if (memory_ != nullptr) secret_memory::release(memory_, size_);
}

bool SealKeys::number(std::byte* frame) {
  if (next_ >= limits_.hard_frames) [[unlikely]] {
    wipe({frame, shape().size});
    return false;
  }
  write_frame_header(std::span<std::byte, frame_layout::header>{frame, frame_layout::header},
                     {.spi = spi_, .sequence = {next_++}});
  return true;
}

void SealKeys::skip_to(SequenceNumber first) {
  check(first.value >= next_, "a sequence number is never used twice");
  next_ = first.value;
}

void SealKeys::lower_limits(std::uint64_t rekey_frames, std::uint64_t hard_frames) {
  check(rekey_frames <= limits_.rekey_frames && hard_frames <= limits_.hard_frames,
        "limits only come down");
  limits_.rekey_frames = rekey_frames;
  limits_.hard_frames = hard_frames;
}

}  // namespace penstock
