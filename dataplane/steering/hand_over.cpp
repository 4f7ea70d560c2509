#include "dataplane/steering/hand_over.hpp"

#include <array>

#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "penstock/base/check.hpp"

namespace penstock::dataplane {

std::size_t HandOver::bytes() { return static_cast<std::size_t>(rte_ring_get_memsize(entries)); }

HandOver::HandOver(int socket)
    : ring_(static_cast<rte_ring*>(rte_malloc_socket(nullptr, bytes(), 64, socket))) {
  check(ring_ != nullptr, "memory for the rings between workers, as the topology says");
  check(rte_ring_init(ring_.get(), "hand_over", entries, RING_F_SP_ENQ | RING_F_SC_DEQ) == 0,
        "a ring's size is a power of two");
}

HandOver::~HandOver() {
  if (ring_ == nullptr) return;
  std::array<rte_mbuf*, 64> left{};
  while (const auto count = pop(left))
    rte_pktmbuf_free_bulk(left.data(), static_cast<unsigned>(count));
}

void HandOver::Free::operator()(rte_ring* ring) const { rte_free(ring); }

std::size_t HandOver::push(std::span<rte_mbuf* const> packets) {
  return rte_ring_sp_enqueue_burst(ring_.get(), reinterpret_cast<void* const*>(packets.data()),
                                   static_cast<unsigned>(packets.size()), nullptr);
}

std::size_t HandOver::pop(std::span<rte_mbuf*> packets) {
  return rte_ring_sc_dequeue_burst(ring_.get(), reinterpret_cast<void**>(packets.data()),
                                   static_cast<unsigned>(packets.size()), nullptr);
}

bool HandOver::empty() const { return rte_ring_empty(ring_.get()) != 0; }

}  // namespace penstock::dataplane
