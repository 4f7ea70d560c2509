#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "penstock/base/check.hpp"

#include "dataplane/device/burst.hpp"
#include "dataplane/device/eal.hpp"
#include "dataplane/device/open_port.hpp"
#include "dataplane/device/pool.hpp"

namespace penstock::dataplane {
namespace {

constexpr unsigned pool_size = 2047;

// Ordinary memory unless there are hugepages, and a device that needs no hardware: what is
// sent to "net_ring0" it receives. DPDK can be started once in a process.
void start_eal() {
  static const auto eal = Eal::start({.file_prefix = "penstock-test-" + std::to_string(getpid()),
                                      .devargs = {"net_ring0"},
                                      .memory_mb = {32}});
  check(eal.has_value(), "DPDK starts");
}

// A port that gives back what is sent. Every test must leave the pool full.
class EthdevTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    start_eal();
    auto pool = make_pool("ethdev-test", pool_size, 2048 + RTE_PKTMBUF_HEADROOM, 0);
    ASSERT_TRUE(pool) << pool.error().message;
    pool_ = pool->release();
    auto port = open_port({.kind = PortConfig::Kind::ethdev, .device = "net_ring0"},
                          {.side = PortSide::plain, .rx_pools = std::span{&pool_, 1}});
    ASSERT_TRUE(port) << port.error().message;
    port_ = port->release();
  }
  static void TearDownTestSuite() {
    delete port_;
    PoolDeleter{}(pool_);
  }
  void SetUp() override { ASSERT_NE(port_, nullptr); }
  void TearDown() override { EXPECT_EQ(rte_mempool_avail_count(pool_), pool_size); }

  static PortQueue& queue() { return port_->queue(0); }

  static rte_mbuf* packet(std::uint16_t length, int fill) {
    auto* const mbuf = rte_pktmbuf_alloc(pool_);
    std::memset(rte_pktmbuf_append(mbuf, length), fill, length);
    return mbuf;
  }

  static inline rte_mempool* pool_ = nullptr;
  static inline Port* port_ = nullptr;
};

TEST_F(EthdevTest, SaysWhatItIs) {
  EXPECT_EQ(port_->info().name, "ethdev:net_ring0");
  EXPECT_EQ(port_->info().mtu, 1500);
  EXPECT_FALSE(port_->info().takes_offload);
  EXPECT_EQ(port_->info().spreads, PortInfo::Spreads::by_software);
  EXPECT_EQ(port_->queue_count(), 1u);
  EXPECT_EQ(queue().wait_fd(), -1);
}

TEST_F(EthdevTest, SendsTheSlotsThatWereUsedAndReceivesThem) {
  auto slots = queue().reserve(3);
  ASSERT_EQ(slots.size(), 3u);
  for (std::size_t index = 0; index < 3; ++index) {
    slots[index].length = static_cast<std::uint32_t>(60 + index);
    std::memset(slots[index].data, static_cast<int>(index), slots[index].length);
  }
  EXPECT_EQ(queue().commit(2), 2u);
  std::array<PacketView, 8> views;
  ASSERT_EQ(queue().receive(views), 2u);
  EXPECT_EQ(views[1].length, 61u);
  EXPECT_EQ(views[1].data[60], std::byte{1});
  queue().release();
  EXPECT_EQ(queue().receive(views), 0u);
}

TEST_F(EthdevTest, RefusesWhatTheDeviceCannotSend) {
  auto slots = queue().reserve(4);
  ASSERT_EQ(slots.size(), 4u);
  slots[0].length = 13;
  slots[1].length = 1523;
  slots[2].length = 60;
  slots[2].offload.flags = VirtioNetHeader::needs_csum;
  slots[3].length = 1522;
  EXPECT_EQ(queue().commit(4), 1u);
  std::array<PacketView, 8> views;
  ASSERT_EQ(queue().receive(views), 1u);
  EXPECT_EQ(views[0].length, 1522u);
  queue().release();
}

TEST_F(EthdevTest, LeavesAKeptBufferToItsKeeper) {
  std::array<rte_mbuf*, 2> sent{packet(60, 1), packet(61, 2)};
  EXPECT_EQ(queue().send(sent), 2u);
  std::array<PacketView, 8> views;
  ASSERT_EQ(queue().receive(views), 2u);
  rte_mbuf* const kept = std::exchange(views[0].mbuf, nullptr);
  queue().release();
  EXPECT_EQ(rte_mempool_avail_count(pool_), pool_size - 1);
  EXPECT_EQ(kept->pkt_len, 60u);
  rte_pktmbuf_free(kept);
}

TEST_F(EthdevTest, PutsPacketsInPiecesTogether) {
  auto* const first = packet(700, 1);
  ASSERT_EQ(rte_pktmbuf_chain(first, packet(800, 2)), 0);
  std::array<rte_mbuf*, 1> sent{first};
  EXPECT_EQ(queue().send(sent), 1u);
  std::array<PacketView, 8> views;
  ASSERT_EQ(queue().receive(views), 1u);
  EXPECT_EQ(views[0].length, 1500u);
  EXPECT_EQ(views[0].data[699], std::byte{1});
  EXPECT_EQ(views[0].data[700], std::byte{2});
  EXPECT_EQ(views[0].data[1499], std::byte{2});
  EXPECT_EQ(views[0].mbuf, nullptr) << "its bytes are not in one buffer";
  queue().release();
}

TEST_F(EthdevTest, CountsPacketsLongerThanTheDeviceAllows) {
  const auto before = queue().kernel_drops().received;
  auto* const first = packet(2000, 1);
  ASSERT_EQ(rte_pktmbuf_chain(first, packet(2000, 2)), 0);
  std::array<rte_mbuf*, 1> sent{first};
  EXPECT_EQ(queue().send(sent), 1u);
  std::array<PacketView, 8> views;
  EXPECT_EQ(queue().receive(views), 0u);
  EXPECT_EQ(queue().kernel_drops().received, before + 1);
  queue().release();
}

TEST_F(EthdevTest, SendFreesWhatDoesNotFit) {
  std::vector<rte_mbuf*> sent;
  for (int index = 0; index < 1500; ++index) sent.push_back(packet(60, 0));
  const auto accepted = queue().send(sent);  // the ring holds 1023
  EXPECT_LT(accepted, sent.size());
  EXPECT_EQ(rte_mempool_avail_count(pool_), pool_size - accepted);
  std::array<PacketView, 64> views;
  std::size_t received = 0;
  while (const auto count = queue().receive(views)) {
    received += count;
    queue().release();
  }
  EXPECT_EQ(received, accepted);
}

TEST_F(EthdevTest, ADeviceThatIsNotThereIsOneSentence) {
  const auto port = open_port({.kind = PortConfig::Kind::ethdev, .device = "net_none0,x=1"},
                              {.side = PortSide::wire, .rx_pools = std::span{&pool_, 1}});
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().kind, ErrorKind::missing);
  EXPECT_NE(port.error().message.find("net_none0"), std::string::npos);
}

TEST_F(EthdevTest, APoolThatDoesNotFitMemoryIsOneSentence) {
  const auto pool = make_pool("too-large", 1u << 20, 2048, 0);
  ASSERT_FALSE(pool);
  EXPECT_NE(pool.error().message.find("too-large"), std::string::npos);
}

TEST_F(EthdevTest, BurstFreesWhatIsLeftAndMovesItsPackets) {
  Burst<4> burst;
  burst.push(packet(60, 1));
  burst.push(packet(60, 2));
  EXPECT_EQ(burst.size(), 2u);
  Burst<4> moved{std::move(burst)};
  EXPECT_TRUE(burst.empty());
  const auto taken = moved.take();
  EXPECT_EQ(taken.size(), 2u);
  EXPECT_TRUE(moved.empty());
  EXPECT_EQ(rte_mempool_avail_count(pool_), pool_size - 2) << "the taker owns them";
  rte_pktmbuf_free_bulk(taken.data(), 2);
  moved.push(packet(60, 3));  // freed with the burst
}

}  // namespace
}  // namespace penstock::dataplane
