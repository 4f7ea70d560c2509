#include "dataplane/steering/mesh.hpp"

#include <poll.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "steering_ground.hpp"

namespace penstock::dataplane {
namespace {

using test::SteeringGround;

constexpr std::array<int, 4> any_node{-1, -1, -1, -1};

class MeshTest : public SteeringGround {
 protected:
  [[nodiscard]] rte_mbuf* numbered(std::uint32_t number) const {
    std::array<std::byte, 4> bytes{};
    store_be32(bytes.data(), number);
    return mbuf_of(bytes);
  }
  static std::uint32_t number_in(rte_mbuf* packet) {
    const std::uint32_t number = load_be32(rte_pktmbuf_mtod(packet, const std::byte*));
    rte_pktmbuf_free(packet);
    return number;
  }
};

bool is_readable(const Wake& wake) {
  pollfd wait{wake.fd(), POLLIN, 0};
  return poll(&wait, 1, 0) == 1;
}

TEST_F(MeshTest, TakesWhatFitsInOrderAndFreesTheRest) {
  HandOver ring{-1};
  EXPECT_TRUE(ring.empty());
  std::vector<rte_mbuf*> packets;
  for (std::uint32_t i = 0; i < HandOver::room + 10; ++i) packets.push_back(numbered(i));
  EXPECT_EQ(ring.push(packets), HandOver::room);
  for (std::size_t i = HandOver::room; i < packets.size(); ++i) rte_pktmbuf_free(packets[i]);
  std::array<rte_mbuf*, 3> some{};
  ASSERT_EQ(ring.pop(some), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(number_in(some[i]), i);
  EXPECT_FALSE(ring.empty());
}

TEST_F(MeshTest, HasTheRingsThatThereIsUseFor) {
  std::vector<Doorbell> bells(4);
  Mesh mesh{{.workers = 4, .queues = 2}, bells, any_node};
  for (unsigned from = 0; from < 4; ++from)
    for (unsigned to = 0; to < 4; ++to) {
      EXPECT_EQ(mesh.in(from, to) != nullptr, from < 2 && from != to) << from << " " << to;
      EXPECT_EQ(mesh.out(from, to) != nullptr, from >= 2 && to == from - 2) << from << " " << to;
    }
}

TEST_F(MeshTest, WakesOnlyWhoSleeps) {
  Wake wake;
  std::vector<Doorbell> bells(2);
  bells[1].wakes(wake);
  Mesh mesh{{.workers = 2, .queues = 1}, bells, any_node};
  bells[1].ring();
  EXPECT_FALSE(is_readable(wake)) << "it is awake";
  ASSERT_TRUE(bells[1].lie_down());
  bells[1].ring();
  EXPECT_TRUE(is_readable(wake));
  wake.clear();
  bells[1].ring();
  EXPECT_FALSE(is_readable(wake)) << "once is enough";
  std::array packet{numbered(1)};
  ASSERT_EQ(mesh.in(0, 1)->push(packet), 1u);
  EXPECT_FALSE(bells[1].lie_down()) << "something waits";
  bells[1].ring();
  EXPECT_FALSE(is_readable(wake)) << "it did not lie down";
}

// A wake-up that is lost would leave the sleeper waiting for good: its limit is the test's.
TEST_F(MeshTest, LosesNoWakeUp) {
  constexpr std::uint32_t count = 20'000;
  Wake wake;
  std::vector<Doorbell> bells(2);
  bells[1].wakes(wake);
  Mesh mesh{{.workers = 2, .queues = 1}, bells, any_node};
  std::atomic<std::uint32_t> taken{0};
  std::thread producer{[&] {
    for (std::uint32_t i = 0; i < count; ++i) {
      std::array packet{numbered(i)};
      while (mesh.in(0, 1)->push(packet) == 0) std::this_thread::yield();
      bells[1].ring();
      // Until it was taken, so that the sleeper lies down again.
      while (i % 4 == 0 && taken.load(std::memory_order_relaxed) <= i) std::this_thread::yield();
    }
  }};
  bool was_lost = false;
  std::uint32_t next = 0;
  while (next < count && !was_lost) {
    std::array<rte_mbuf*, 64> packets{};
    const auto popped = mesh.in(0, 1)->pop(packets);
    for (std::size_t i = 0; i < popped; ++i) EXPECT_EQ(number_in(packets[i]), next++);
    taken.store(next, std::memory_order_relaxed);
    if (popped != 0 || !bells[1].lie_down()) continue;
    pollfd wait{wake.fd(), POLLIN, 0};
    was_lost = poll(&wait, 1, 30'000) == 0;
    bells[1].get_up();
    wake.clear();
  }
  ASSERT_FALSE(was_lost) << "the producer waits for packet " << next;
  producer.join();
}

}  // namespace
}  // namespace penstock::dataplane
