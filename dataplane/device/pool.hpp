// A pool of mbufs that frees itself. Every mbuf must be back before its pool dies.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "penstock/base/error.hpp"

struct rte_mempool;

namespace penstock::dataplane {

struct PoolDeleter {
  void operator()(rte_mempool* pool) const;
};
using Pool = std::unique_ptr<rte_mempool, PoolDeleter>;

// `count` mbufs with `data_room` bytes each (RTE_PKTMBUF_HEADROOM included); every lcore
// keeps up to `cache_size` of them at hand. The pool's ring survives a thread that is
// preempted inside it, so that workers may share cores. `socket`: the NUMA node; -1: any.
[[nodiscard]] Result<Pool> make_pool(const std::string& name, unsigned count,
                                     std::uint16_t data_room, unsigned cache_size, int socket = -1);

}  // namespace penstock::dataplane
