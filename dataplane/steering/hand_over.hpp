// Packets on their way from one worker to one other (rte_ring, single producer, single consumer).
// Nobody waits on a full ring.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

struct rte_mbuf;
struct rte_ring;

namespace penstock::dataplane {

class HandOver {
 public:
  static constexpr std::size_t entries = 512;
  static constexpr std::size_t room = entries - 1;  // packets; a ring keeps a place free
  [[nodiscard]] static std::size_t bytes();         // of DPDK's memory

  // On the NUMA node `socket`, which is the consumer's; -1: on any. Ends the process where there is
  // no memory.
  explicit HandOver(int socket);
  ~HandOver();  // frees what is in it
  HandOver(HandOver&& other) noexcept = default;
  HandOver& operator=(HandOver&&) = delete;

  // The producer. The first ones are the consumer's then; how many.
  [[nodiscard]] std::size_t push(std::span<rte_mbuf* const> packets);
  // The consumer.
  [[nodiscard]] std::size_t pop(std::span<rte_mbuf*> packets);
  [[nodiscard]] bool empty() const;

 private:
  struct Free {
    void operator()(rte_ring* ring) const;
  };
  std::unique_ptr<rte_ring, Free> ring_;
};

}  // namespace penstock::dataplane
