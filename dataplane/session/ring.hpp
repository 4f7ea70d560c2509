// A ring from one thread to one other (rte_ring, single producer, single consumer) that carries
// small values. Nobody waits on a full ring: push says no, and the caller drops and counts.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include <rte_ring_elem.h>

#include "penstock/base/check.hpp"

namespace penstock::dataplane {

template <class T, std::size_t Entries>
class Ring {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 4 == 0);
  static_assert((Entries & (Entries - 1)) == 0, "rte_ring counts in powers of two");

 public:
  static constexpr std::size_t entries = Entries;

  explicit Ring(const std::string& name) {
    const auto size = static_cast<std::size_t>(rte_ring_get_memsize_elem(sizeof(T), Entries));
    ring_.reset(static_cast<rte_ring*>(std::aligned_alloc(64, (size + 63) / 64 * 64)));
    check(ring_ != nullptr, "memory for a ring");
    check(rte_ring_init(ring_.get(), name.c_str(), Entries, RING_F_SP_ENQ | RING_F_SC_DEQ) == 0,
          "a ring's name is short and its size a power of two");
  }

  // The producer. False: full (a ring of n takes n - 1).
  [[nodiscard]] bool push(const T& value) {
    return rte_ring_sp_enqueue_elem(ring_.get(), const_cast<T*>(&value), sizeof(T)) == 0;
  }
  // The producer: how many more it takes for sure.
  [[nodiscard]] std::size_t room() const { return rte_ring_free_count(ring_.get()); }
  // The consumer.
  [[nodiscard]] std::optional<T> pop() {
    T value;
    if (rte_ring_sc_dequeue_elem(ring_.get(), &value, sizeof(T)) != 0) return std::nullopt;
    return value;
  }
  [[nodiscard]] bool empty() const { return rte_ring_empty(ring_.get()) != 0; }

 private:
  struct Free {
    void operator()(rte_ring* ring) const { std::free(ring); }
  };
  std::unique_ptr<rte_ring, Free> ring_;
};

}  // namespace penstock::dataplane
