// Wakes a worker that sleeps when another has handed something over to it, and costs the other
// nothing but a load while it is awake.
//
// No wake-up is lost. Who hands over pushes, then looks at `asleep`; who lies down says `asleep`,
// then looks at its rings; and each has a fence of sequential consistency between the two. One of
// the fences comes first in their single order: if the pusher's, the sleeper sees what was pushed
// and does not sleep; if the sleeper's, the pusher sees `asleep` and signals, and a signal that
// comes before the sleeper waits on the descriptor ends that wait at once. Both may happen, which
// costs one look in vain.
#pragma once

#include <atomic>
#include <vector>

#include "dataplane/session/wake.hpp"
#include "dataplane/steering/hand_over.hpp"

namespace penstock::dataplane {

class Doorbell {
 public:
  // Before it is used: what its worker sleeps on, and the worker sleeps only while nothing is in
  // there.
  void wakes(const Wake& wake) { wake_ = &wake; }
  void watch(const HandOver& ring) { watched_.push_back(&ring); }

  // Another worker, behind a push.
  void ring() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed) &&
        asleep_.exchange(false, std::memory_order_relaxed)) [[unlikely]]
      wake_->signal();
  }

  // Its worker. False: something waits; it must not sleep. Otherwise get_up() comes next.
  [[nodiscard]] bool lie_down() {
    if (watched_.empty()) return true;
    asleep_.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (const HandOver* ring : watched_) {
      if (ring->empty()) continue;
      get_up();
      return false;
    }
    return true;
  }
  void get_up() { asleep_.store(false, std::memory_order_relaxed); }

 private:
  const Wake* wake_ = nullptr;
  std::vector<const HandOver*> watched_;
  alignas(64) std::atomic<bool> asleep_{false};  // written by its worker, cleared by any
};

}  // namespace penstock::dataplane
