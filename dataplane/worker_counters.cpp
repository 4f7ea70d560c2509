#include "dataplane/worker_counters.hpp"

#include <sched.h>

namespace penstock::dataplane {
namespace {

// Source: H. Boehm, "Can seqlocks get along with programming language memory models?", 2012.
template <class From, class To>
void copy_relaxed(const From& from, To* to) {
  for (const auto& value : from) (to++)->store(value, std::memory_order_relaxed);
}

template <class From, class To>
const From* load_relaxed(const From* from, To& to) {
  for (auto& value : to) value = (from++)->load(std::memory_order_relaxed);
  return from;
}

}  // namespace

void WorkerCounters::publish() {
  const std::uint32_t sequence = sequence_.load(std::memory_order_relaxed);
  sequence_.store(sequence + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  copy_relaxed(own_.values, shared_.data());
  copy_relaxed(own_.gauges, shared_.data() + counter_count);
  copy_relaxed(own_.drops, shared_.data() + counter_count + gauge_count);
  sequence_.store(sequence + 2, std::memory_order_release);
}

Counters WorkerCounters::snapshot() const {
  Counters counters;
  for (;;) {
    const std::uint32_t before = sequence_.load(std::memory_order_acquire);
    const auto* at = load_relaxed(shared_.data(), counters.values);
    at = load_relaxed(at, counters.gauges);
    load_relaxed(at, counters.drops);
    std::atomic_thread_fence(std::memory_order_acquire);
    const std::uint32_t after = sequence_.load(std::memory_order_relaxed);
    if (before == after && before % 2 == 0) return counters;
    sched_yield();  // the worker may have been preempted in the middle, on this very core
  }
}

}  // namespace penstock::dataplane
