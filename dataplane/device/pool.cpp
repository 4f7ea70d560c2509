#include "dataplane/device/pool.hpp"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

namespace penstock::dataplane {

void PoolDeleter::operator()(rte_mempool* pool) const { rte_mempool_free(pool); }

Result<Pool> make_pool(const std::string& name, unsigned count, std::uint16_t data_room,
                       unsigned cache_size, int socket) {
  // With DPDK's default ring a thread preempted in the middle of an operation stalls all the
  // others; relaxed tail synchronisation lets them pass. Behind a cache its cost is not seen.
  Pool pool{rte_pktmbuf_pool_create_by_ops(name.c_str(), count, cache_size, 0, data_room, socket,
                                           "ring_mt_rts")};
  if (pool == nullptr)
    return fail(ErrorKind::system,
                fmt::format("cannot make packet pool {} of {} buffers with {} bytes: {}", name,
                            count, data_room, rte_strerror(rte_errno)));
  return pool;
}

}  // namespace penstock::dataplane
