// DPDK on ordinary memory, for all tests of this program, and a pool.
#pragma once

#include <unistd.h>

#include <cstring>
#include <string>

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "penstock/base/bytes.hpp"
#include "penstock/base/check.hpp"

#include "dataplane/device/eal.hpp"
#include "dataplane/device/pool.hpp"

namespace penstock::dataplane::test {

inline constexpr unsigned pool_size = 8191;

inline rte_mempool* ground_pool() {
  static const auto eal = Eal::start(
      {.file_prefix = "penstock-steering-" + std::to_string(getpid()), .memory_mb = {96}});
  check(eal.has_value(), "DPDK starts");
  static const auto pool = make_pool("steering", pool_size, 2048 + RTE_PKTMBUF_HEADROOM, 0);
  check(pool.has_value(), "a pool");
  return pool->get();
}

// Every test must leave the pool full.
class SteeringGround : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(rte_mempool_avail_count(pool), pool_size); }

  [[nodiscard]] rte_mbuf* mbuf_of(Bytes packet) const {
    rte_mbuf* const mbuf = rte_pktmbuf_alloc(pool);
    check(mbuf != nullptr, "the pool is large enough");
    std::memcpy(rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(packet.size())), packet.data(),
                packet.size());
    return mbuf;
  }

  rte_mempool* pool = ground_pool();
};

}  // namespace penstock::dataplane::test
