#include "penstock/crypto/sa_keys.hpp"

#include <utility>

#include "penstock/base/check.hpp"

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
  if (this == &other) return *this;
  release();
  memory_ = std::exchange(other.memory_, nullptr);
  size_ = other.size_;
  shape_ = other.shape_;
  protection_ = other.protection_;
  return *this;
}

ExpandedKeys::~ExpandedKeys() { release(); }

void ExpandedKeys::release() noexcept {
  if (memory_ != nullptr) secret_memory::release(memory_, size_);
}

SealKeys::SealKeys(SealKeys&& other) noexcept
    : keys_(std::move(other.keys_)),
      next_(other.next_),
      limits_(std::exchange(other.limits_, {})),
      spi_(other.spi_) {}

SealKeys& SealKeys::operator=(SealKeys&& other) noexcept {
  if (this == &other) return *this;
  keys_ = std::move(other.keys_);
  next_ = other.next_;
  limits_ = std::exchange(other.limits_, {});
  spi_ = other.spi_;
  return *this;
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
