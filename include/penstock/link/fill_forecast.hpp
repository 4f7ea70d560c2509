// Whether an open frame will soon be full, by how fast the packets of its link came of late. A link
// without a hold asks when the plain port ran empty: an idle link's frame then leaves at once, and
// one under load waits for the packets that fill it.
#pragma once

#include <cstddef>

#include "penstock/base/clock.hpp"

namespace penstock {

class FillForecast {
 public:
  // So fast is soon, and a frame waits no longer. Slower links send at most a frame a packet,
  // which is then no load: some 200,000 a second of the smallest packets.
  static constexpr Time soon = std::chrono::microseconds{100};

  // A frame with room for `payload` bytes is begun.
  void begin(std::size_t payload, Time now) {
    const Time passed = now - since_;
    if (passed == Time{}) return;  // a burst by itself says nothing of when the next one comes
    if (passed <= soon && bytes_ < payload) return;
    is_fast_ = passed <= soon;
    since_ = now;
    bytes_ = 0;
  }
  // A frame was closed with so many bytes of blocks in it.
  void add(std::size_t used) { bytes_ += used; }

  // By when what fills the frame is here, going by what came before; long ago where nothing is
  // expected to.
  [[nodiscard]] Time full_by() const { return is_fast_ ? since_ + soon : Time{}; }

 private:
  Time since_{};  // when the frame's worth that is being counted began
  std::size_t bytes_ = 0;
  bool is_fast_ = false;
};

}  // namespace penstock
