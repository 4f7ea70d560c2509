// What a worker does when a turn found nothing: spin for a moment, then sleep where it can be
// woken. On shared cores an idle worker must cost next to nothing.
#pragma once

#include <chrono>

#include "penstock/base/clock.hpp"
#include "penstock/config/site_config.hpp"

#include "dataplane/device/port.hpp"
#include "dataplane/session/wake.hpp"
#include "dataplane/steering/doorbell.hpp"

namespace penstock::dataplane {

class Idle {
 public:
  // A packet that follows the last one sooner than this never waits for a wake-up.
  static constexpr Time spin_for = std::chrono::microseconds{50};

  // As PortQueue::wait_fd() says; a port that must be polled is, between naps.
  struct PortDescriptors {
    int plain = PortQueue::must_be_polled;
    int wire = PortQueue::must_be_polled;
  };
  // `bell` rings at the mailbox's wake, when another worker has something for this one.
  Idle(IdleMode mode, PortDescriptors ports, const Wake& mailbox, Doorbell* bell = nullptr)
      : mode_(mode), ports_(ports), mailbox_(mailbox), bell_(bell) {}

  // A frame must leave then; the next an interval later.
  struct Tick {
    Time at = Time::max();
    Time interval{};
  };
  // Rests until something may have come, at most until `deadline` or the tick. It wakes for a tick
  // as much sooner as wake-ups were late lately, an eighth of an interval at most: what is left it
  // spins. Where they were later than that and the interval is below 500 us, it does not sleep.
  // True when it slept.
  bool rest(Time now, Time deadline, const Tick& tick);
  // A turn had something to do.
  void worked(Time now) { last_work_ = now; }

  // The kernel may wake this thread late by its timer slack: 50 microseconds unless asked.
  static void sharpen_timers();

 private:
  // False: something came.
  bool wait_for_packets(Time longest);
  [[nodiscard]] bool wakes_too_late(const Tick& tick, Time now);
  void sleep(Time longest, Time idle_for);

  IdleMode mode_;
  PortDescriptors ports_;
  const Wake& mailbox_;
  Doorbell* bell_;
  Time last_work_{};
  Time lateness_{};     // of wake-ups, about
  Time awake_until_{};  // 0: not awake for a tick's sake
};

}  // namespace penstock::dataplane
