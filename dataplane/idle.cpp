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

timespec to_timespec(Time time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {.tv_sec = seconds.count(), .tv_nsec = (time - seconds).count()};
}

}  // namespace

void Idle::sharpen_timers() { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

bool Idle::rest(Time now, Time deadline) {
  const Time idle_for = now - last_work_;
  if (mode_ == IdleMode::spin || idle_for < spin_for || deadline <= now) {
    rte_pause();
    return false;
  }
  const Time longest = std::min(deadline - now, longest_sleep);
  if (ports_.plain >= 0 && ports_.wire >= 0) {
    wait_for_packets(longest);
  } else {
    const timespec nap = to_timespec(std::min(longest, idle_for < quiet ? nap_first : nap_last));
    nanosleep(&nap, nullptr);
  }
  return true;
}

void Idle::wait_for_packets(Time longest) {
  std::array<pollfd, 3> wait{pollfd{ports_.plain, POLLIN, 0}, pollfd{ports_.wire, POLLIN, 0},
                             pollfd{mailbox_.fd(), POLLIN, 0}};
  const timespec limit = to_timespec(longest);
  if (ppoll(wait.data(), wait.size(), &limit, nullptr) > 0 && wait[2].revents != 0)
    mailbox_.clear();
}

}  // namespace penstock::dataplane
