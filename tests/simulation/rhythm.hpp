// The clock of a site's frames as one sees it who stands at the wire: of a link with a rate they
// leave on a grid, never two at one tick.
#pragma once

#include <cstdint>

#include "penstock/base/clock.hpp"

namespace penstock::simulation {

class Rhythm {
 public:
  // A frame left while the clock ran at so many frames a 1000 s. Throws the Failure that it finds.
  void on_grid(int site, Time now, std::uint64_t rate);
  // The same of a link that keeps a distance, but no grid.
  void apart(int site, Time now, std::uint64_t rate);
  // What left before says nothing of what comes: the site began anew, or stood still.
  void forget() { rate_ = 0; }
  // Ticks between the last two frames at which none left.
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }

 private:
  void begin(Time now, std::uint64_t rate);

  std::uint64_t rate_ = 0;  // 0: nothing is known yet
  Time first_{};            // a tick
  std::uint64_t tick_ = 0;  // since then, of the last frame
  std::uint64_t skipped_ = 0;
};

}  // namespace penstock::simulation
