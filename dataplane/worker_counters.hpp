// What a worker counts, and how the main core reads it. The worker counts into an array of its
// own and publishes it whole between turns, so that the books balance in every snapshot.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "penstock/ipc/counters.hpp"

namespace penstock::dataplane {

class WorkerCounters {
 public:
  // --- the worker ---------------------------------------------------------------
  void add(Counter counter, std::uint64_t n = 1) { own_.values[index(counter)] += n; }
  void drop(DropReason reason, std::uint64_t n = 1) { own_.drops[index(reason)] += n; }
  // For what somebody else adds up: the kernel's drops.
  void set_drops(DropReason reason, std::uint64_t n) { own_.drops[index(reason)] = n; }
  void set(Gauge gauge, std::uint64_t value) { own_.gauges[index(gauge)] = value; }
  [[nodiscard]] const Counters& own() const { return own_; }
  // Between turns only.
  void publish();

  // --- any thread -----------------------------------------------------------------
  // As last published; waits while a publication is under way (some 50 stores).
  [[nodiscard]] Counters snapshot() const;

 private:
  static constexpr std::size_t cells = counter_count + gauge_count + drop_reason_count;

  template <class E>
  [[nodiscard]] static constexpr std::size_t index(E e) {
    return static_cast<std::size_t>(e);
  }

  Counters own_;
  // A sequence lock: odd while the worker writes. Written by the worker, read by the main core.
  alignas(64) std::atomic<std::uint32_t> sequence_{0};
  std::array<std::atomic<std::uint64_t>, cells> shared_{};
};

}  // namespace penstock::dataplane
