// Whether an open frame will soon be full, by how fast the packets of its link came of late. A link
// without a hold asks when the plain port ran empty: an idle link's frame then leaves at once, and
// one under load waits for the packets that fill it.
#pragma once

#include <algorithm>
#include <cstddef>

#include "penstock/base/clock.hpp"

namespace penstock {

class FillForecast {
 public:
  // So fast is soon, and a frame waits no longer. Slower links send at most a frame a packet,
  // which is then no load: some 100,000 a second of the smallest packets.
  static constexpr Time soon = std::chrono::microseconds{200};
  // After such a silence a link is idle.
  static constexpr Time silence = std::chrono::milliseconds{50};

  // A frame with room for `payload` bytes is begun.
  void begin(std::size_t payload, Time now) {
    const Time passed = now - since_;
    if (passed == Time{}) return;  // a burst by itself says nothing of when the next one comes
    if (passed <= soon && bytes_ < payload) return;
    // A stream has pauses, where somebody between is not given the CPU, and is still a stream.
    const unsigned less = passed > silence ? 0 : std::max(in_a_row_, 1U) - 1;
    in_a_row_ = passed <= soon ? std::min(in_a_row_ + 1, most) : less;
    since_ = now;
    bytes_ = 0;
  }
  // A frame was closed with so many bytes of blocks in it.
  void add(std::size_t used) { bytes_ += used; }

  // How long the frame that was begun last waits for what fills it: several frames' worth of
  // packets came soon, each, and not long ago. A short answer of a few packets is no stream.
  [[nodiscard]] Time patience() const { return in_a_row_ >= stream ? soon : Time{}; }

 private:
  static constexpr unsigned stream = 8;
  static constexpr unsigned most = 4 * stream;

  Time since_{};  // when the frame's worth that is being counted began
  std::size_t bytes_ = 0;
  unsigned in_a_row_ = 0;  // frames' worths that came soon; a pause takes one
};

}  // namespace penstock
