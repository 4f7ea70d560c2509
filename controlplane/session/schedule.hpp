// When a link may start an attempt (docs/protocol.md section 6): backoff with jitter after
// failures, quiet after answering, and the age at which a session is replaced.
#pragma once

#include "penstock/base/clock.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/ipc/messages.hpp"

#include "controlplane/handshake/entropy.hpp"

namespace penstock::controlplane {

class Schedule {
 public:
  // The earliest start, if there were reason to start at `wanted`.
  [[nodiscard]] Time next(Time wanted) const;

  void attempt_failed(Entropy& entropy, Time now);
  void answered(Time now) { quiet_until_ = now + limits::initiate_pause_after_answer; }
  // A session was confirmed: the next failure starts with the shortest wait again.
  void succeeded();
  // Forgets everything: the next attempt may start at once.
  void reset() { *this = Schedule{}; }

 private:
  Time wait_ = limits::retry_first;
  Time retry_at_{};
  Time quiet_until_{};
};

// How long after its install this side replaces a session.
[[nodiscard]] Time rekey_delay(ipc::Role role, Time rekey_after, Entropy& entropy);

}  // namespace penstock::controlplane
