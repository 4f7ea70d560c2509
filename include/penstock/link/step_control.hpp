// Quantized: at which of a few steps frames leave. Decided only where a dwell ends, by what was
// sent in it: an observer learns log2(steps) bits a dwell, at most. Pure, on virtual time. Source:
// docs/protocol.md, "Shaping".
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "penstock/base/clock.hpp"
#include "penstock/base/shape.hpp"

namespace penstock {

// What a frame that leaves carries of what waited.
struct TickLoad {
  std::uint32_t used = 0;    // bytes of blocks
  std::uint32_t room = 0;    // bytes there are for them
  bool has_backlog = false;  // more waits for the next tick
};

class StepControl {
 public:
  // Ascending, at least one, in frames per 1000 seconds. Begins at the lowest.
  void set_steps(std::span<const std::uint64_t> rates, Time dwell);
  // A frame leaves.
  void tick(const TickLoad& load, Time now) {
    if (count_ <= 1) return;
    if (now >= slice_ends_) [[unlikely]]
      end_slice(now);
    ++ticks_;
    used_ += load.used;
    room_ += load.room;
    backlogged_ += load.has_backlog ? 1 : 0;
  }

  [[nodiscard]] unsigned step() const { return step_; }
  [[nodiscard]] std::uint64_t rate() const { return rates_[step_]; }

 private:
  static constexpr unsigned slices = 8;  // of a dwell, of which the busiest decides

  void end_slice(Time now);
  void decide();

  std::array<std::uint64_t, Shape::max_steps> rates_{};
  unsigned count_ = 0;
  unsigned step_ = 0;
  Time dwell_{};
  Time slice_ends_{};
  std::uint64_t slice_ = 0;
  // Of the slice.
  std::uint64_t ticks_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t room_ = 0;
  std::uint64_t backlogged_ = 0;
  // Of the dwell.
  std::uint64_t peak_ = 0;  // frames per 1000 seconds that a slice would have filled
  bool is_short_ = false;   // a slice had a backlog for most of its time
};

}  // namespace penstock
