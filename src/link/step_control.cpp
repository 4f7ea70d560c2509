#include "penstock/link/step_control.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

constexpr std::uint64_t second_of_rate = 1'000'000'000'000;  // 1000 s in ns

}  // namespace

void StepControl::set_steps(std::span<const std::uint64_t> rates, Time dwell) {
  check(!rates.empty() && rates.size() <= Shape::max_steps, "a link has 1 to 8 steps");
  const bool is_same =
      std::ranges::equal(rates, std::span{rates_}.first(count_)) && dwell == dwell_;
  if (is_same) return;
  *this = StepControl{};
  std::ranges::copy(rates, rates_.begin());
  count_ = static_cast<unsigned>(rates.size());
  dwell_ = dwell;
}

void StepControl::end_slice(Time now) {
  const Time length = std::max(dwell_ / slices, Time{1});
  if (slice_ends_ != Time{}) {
    if (room_ != 0) {
      const auto share = static_cast<double>(used_) / static_cast<double>(room_);
      // Of what the step's rate would have sent, not of what left: a tick may be missed.
      peak_ = std::max(peak_, static_cast<std::uint64_t>(share * static_cast<double>(rate())));
    }
    is_short_ |= backlogged_ > ticks_ / 2;
    // The grid stays where it is, whatever was missed of it: its phase says nothing.
    const auto passed = (now - slice_ends_) / length + 1;
    slice_ends_ += passed * length;
    slice_ += static_cast<std::uint64_t>(passed);
    // After a pause the step waits for the next end of a dwell: one in the middle of a dwell would
    // tell when the pause ended. But a tick may be long.
    const Time late = now - (slice_ends_ - static_cast<Time::rep>(slice_ % slices + 1) * length);
    const bool is_on_grid =
        late < std::max(length, 2 * Time{static_cast<Time::rep>(second_of_rate / rate())});
    if (slice_ >= slices && is_on_grid) decide();
    slice_ %= slices;
  } else {
    slice_ends_ = now + length;
  }
  ticks_ = used_ = room_ = backlogged_ = 0;
}

// A step has to have a quarter more than was used: where a slice was full, nobody knows how much
// more there would have been.
void StepControl::decide() {
  unsigned wanted = 0;
  while (wanted + 1 < count_ && rates_[wanted] / 5 * 4 < peak_) ++wanted;
  if (is_short_) wanted = std::max(wanted, std::min(step_ + 1, count_ - 1));
  step_ = wanted;
  peak_ = 0;
  is_short_ = false;
}

}  // namespace penstock
