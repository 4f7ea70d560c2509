// The keys of one SA as an engine computes with them, and the sequence numbers that its sender
// may use them with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "penstock/base/limits.hpp"
#include "penstock/base/prefetch.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/keys/secret.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

struct Work;

// The keys of one SA in the form the engine computes with: key schedules, HMAC inner states and
// GCM's tables, secrets themselves, in secret memory. Made by an engine and good for every
// engine of the same plan.
class ExpandedKeys {
 public:
  ExpandedKeys(ExpandedKeys&&) noexcept;
  ExpandedKeys& operator=(ExpandedKeys&&) noexcept;
  ~ExpandedKeys();

  [[nodiscard]] Protection protection() const { return protection_; }
  [[nodiscard]] FrameShape shape() const { return shape_; }
  // Begins to fetch them: an engine uses them soon.
  void fetch() const { prefetch(memory_, size_); }

 private:
  friend class FrameEngine;
  friend struct Work;
  ExpandedKeys(Protection protection, FrameShape shape, std::size_t size);
  void release() noexcept;
  // Laid out as the plan's way with this protection wants it; null where there are no keys.
  std::byte* memory_;
  std::uint32_t size_;  // of that memory
  FrameShape shape_;
  Protection protection_;
};

// An SA as its sender has it: the keys and the sequence numbers that they may be used with,
// which live and die together. Each number is taken once, by FrameEngine::seal and nowhere
// else; numbers only go up, and limits only come down.
class SealKeys {
 public:
  SealKeys(ExpandedKeys keys, Spi spi)
      : keys_(std::move(keys)),
        limits_(limits::sa_limits(keys_.protection(), keys_.shape().size)),
        spi_(spi) {}
  // What was moved from seals nothing any more: its hard limit is 0.
  SealKeys(SealKeys&& other) noexcept;
  SealKeys& operator=(SealKeys&& other) noexcept;
  ~SealKeys() = default;

  [[nodiscard]] FrameShape shape() const { return keys_.shape(); }
  [[nodiscard]] Protection protection() const { return keys_.protection(); }
  [[nodiscard]] Spi spi() const { return spi_; }
  // Of the next frame; also how many were numbered, unless some were skipped.
  [[nodiscard]] SequenceNumber next() const { return {next_}; }
  [[nodiscard]] const limits::SaLimits& limits() const { return limits_; }
  void fetch() const { keys_.fetch(); }
  [[nodiscard]] bool wants_rekey() const { return next_ >= limits_.rekey_frames; }

  // Leaves numbers out: `first` is not below next().
  void skip_to(SequenceNumber first);
  // Neither is above what it was.
  void lower_limits(std::uint64_t rekey_frames, std::uint64_t hard_frames);

 private:
  friend class FrameEngine;
  // Writes the header with the next number. False, and the frame wiped, at the hard limit.
  [[nodiscard]] bool number(std::byte* frame);

  ExpandedKeys keys_;
  std::uint64_t next_ = 0;
  limits::SaLimits limits_;
  Spi spi_;
};

// --- once a frame: inline ---------------------------------------------------------

inline bool SealKeys::number(std::byte* frame) {
  if (next_ >= limits_.hard_frames) [[unlikely]] {
    wipe({frame, shape().size});
    return false;
  }
  write_frame_header(std::span<std::byte, frame_layout::header>{frame, frame_layout::header},
                     {.spi = spi_, .sequence = {next_++}});
  return true;
}

}  // namespace penstock
