#include "dataplane/idle.hpp"

#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <ctime>

#include <rte_pause.h>

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;

// Between looks at a port that cannot wake us: short at first, longer when it stays quiet.
constexpr Time nap_first = 20us;
constexpr Time nap_last = 50us;
constexpr Time quiet = 1ms;
constexpr Time longest_sleep = 1s;
// Intervals that are worth a core where wake-ups are too late for them, and how long that is so.
constexpr Time short_interval = 500us;
constexpr Time awake_for = 10s;

timespec to_timespec(Time time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {.tv_sec = seconds.count(), .tv_nsec = (time - seconds).count()};
}

}  // namespace

void Idle::sharpen_timers() { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

bool Idle::rest(Time now, Time deadline, const Tick& tick) {
  const Time until = std::min(deadline, tick.at - std::min(lateness_, tick.interval / 8));
  const Time idle_for = now - last_work_;
  if (mode_ == IdleMode::spin || idle_for < spin_for || until <= now || wakes_too_late(tick, now)) {
    rte_pause();
    return false;
  }
  sleep(std::min(until - now, longest_sleep), idle_for);
  return true;
}

// A frame that leaves later when nobody sends would tell so. Now and then it is tried again.
bool Idle::wakes_too_late(const Tick& tick, Time now) {
  const Time most = tick.interval / 8;
  if (tick.interval == Time{} || tick.interval >= short_interval || lateness_ <= most) return false;
  if (awake_until_ == Time{}) awake_until_ = now + awake_for;
  if (now < awake_until_) return true;
  awake_until_ = {};
  lateness_ = most;
  return false;
}

void Idle::sleep(Time longest, Time idle_for) {
  const Time begun = monotonic_now();
  const bool must_poll =
      ports_.plain == PortQueue::must_be_polled || ports_.wire == PortQueue::must_be_polled;
  if (!must_poll) {
    if (!wait_for_packets(longest)) return;
  } else {
    longest = std::min(longest, idle_for < quiet ? nap_first : nap_last);
    const timespec nap = to_timespec(longest);
    nanosleep(&nap, nullptr);
  }
  lateness_ += (monotonic_now() - begun - longest - lateness_) / 8;
}

bool Idle::wait_for_packets(Time longest) {
  std::array<pollfd, 3> wait{pollfd{ports_.plain, POLLIN, 0}, pollfd{ports_.wire, POLLIN, 0},
                             pollfd{mailbox_.fd(), POLLIN, 0}};
  const timespec limit = to_timespec(longest);
  if (bell_ != nullptr && !bell_->lie_down()) return false;
  // A descriptor below zero is skipped.
  const int ready = ppoll(wait.data(), wait.size(), &limit, nullptr);
  if (bell_ != nullptr) bell_->get_up();
  if (ready > 0 && wait[2].revents != 0) mailbox_.clear();
  return ready == 0;
}

}  // namespace penstock::dataplane
