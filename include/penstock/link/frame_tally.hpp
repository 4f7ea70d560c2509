// What became of the frames of one inbound SA, counted for reports to their sender. A number is
// lost when it is missing although `reorder` later ones have come: a path that reorders by less
// loses nothing. What is lost, or CE-marked by the path, within a round trip of a loss event's
// start belongs to that event (RFC 5348 sections 5.1, 5.2).
#pragma once

#include <chrono>
#include <cstdint>

#include "penstock/base/clock.hpp"
#include "penstock/link/replay_window.hpp"

namespace penstock {

class FrameTally {
 public:
  // RFC 5348 waits for three; links spread by multipath reorder by some more.
  static constexpr std::uint64_t reorder = 16;

  // A frame was admitted into `window`, whose next() was `before` until then.
  void admit(const ReplayWindow& window, std::uint64_t before, bool is_marked, Time now) {
    ++admitted_;
    marked_ += is_marked ? 1 : 0;
    if (is_marked || is_missing_behind(window, before)) [[unlikely]]
      add_event(now);
  }
  // How long an event lasts from now on; until then, a tenth of a second.
  void set_round_trip(Time round_trip) { round_trip_ = round_trip; }

  [[nodiscard]] std::uint64_t admitted() const { return admitted_; }
  [[nodiscard]] std::uint64_t marked() const { return marked_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  static_assert(2 * reorder < limits::replay_window);

  // Whether one of the numbers that fell behind the last `reorder` with this frame never came.
  [[nodiscard]] static bool is_missing_behind(const ReplayWindow& window, std::uint64_t before) {
    const std::uint64_t next = window.next();
    if (next == before || next <= reorder) return false;
    // What a jump skips is missing for certain.
    if (next - before > reorder + 1) return true;
    for (std::uint64_t n = before > reorder ? before - reorder : 0; n < next - reorder; ++n)
      if (window.look({n}) == ReplayVerdict::fresh) return true;
    return false;
  }
  void add_event(Time now) {
    if (now < event_ends_) return;
    ++events_;
    event_ends_ = now + round_trip_;
  }

  std::uint64_t admitted_ = 0;
  std::uint64_t marked_ = 0;
  std::uint64_t events_ = 0;
  Time event_ends_{};
  Time round_trip_ = std::chrono::milliseconds{100};
};

}  // namespace penstock
