// Workers' queues over a DPDK ring port with fewer queues than workers, or as many. The test plays
// all workers, one after the other, and what is behind the port.
#include "dataplane/steering/steered_queue.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <numeric>
#include <vector>

#include <rte_eth_ring.h>
#include <rte_ring.h>

#include "penstock/wire/outer.hpp"
#include "steering_ground.hpp"
#include "steering_packets.hpp"

#include "dataplane/steering/steering.hpp"

namespace penstock::dataplane {
namespace {

using test::frame_packet;
using test::packet_of;
using test::SteeringGround;

constexpr std::uint16_t udp_port = 7670;
constexpr unsigned port_ring = 1024;
constexpr std::array<int, 4> any_node{-1, -1, -1, -1};

// A port made of rings. A device cannot be made twice by one name, so they are numbered.
class RingPort {
 public:
  RingPort(unsigned queues, unsigned workers, PortSide side, rte_mempool* pool) {
    static unsigned made = 0;
    const std::string name = "steered" + std::to_string(made++);
    for (unsigned queue = 0; queue < queues; ++queue) {
      arriving.push_back(make(name + "_rx" + std::to_string(queue)));
      leaving.push_back(make(name + "_tx" + std::to_string(queue)));
    }
    check(rte_eth_from_rings(name.c_str(), arriving.data(), queues, leaving.data(), queues, 0) >= 0,
          "a device of rings");
    const std::vector<rte_mempool*> pools(workers, pool);
    auto opened = open_port({.kind = PortConfig::Kind::ethdev, .device = "net_ring_" + name},
                            {.side = side, .workers = workers, .rx_pools = pools});
    check(opened.has_value(), "a port of rings");
    port = *std::move(opened);
  }
  ~RingPort() {
    for (rte_ring* ring : arriving) empty(ring);
    for (rte_ring* ring : leaving) empty(ring);
    port.reset();
    for (rte_ring* ring : arriving) rte_ring_free(ring);
    for (rte_ring* ring : leaving) rte_ring_free(ring);
  }
  RingPort(const RingPort&) = delete;
  RingPort& operator=(const RingPort&) = delete;

  static std::size_t empty(rte_ring* ring) {
    std::size_t count = 0;
    for (void* packet = nullptr; rte_ring_dequeue(ring, &packet) == 0; ++count)
      rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
    return count;
  }
  [[nodiscard]] std::size_t take_all() {
    return std::accumulate(leaving.begin(), leaving.end(), std::size_t{0},
                           [](std::size_t sum, rte_ring* ring) { return sum + empty(ring); });
  }

  std::vector<rte_ring*> arriving;
  std::vector<rte_ring*> leaving;
  std::unique_ptr<Port> port;

 private:
  static rte_ring* make(const std::string& name) {
    rte_ring* const ring = rte_ring_create(name.c_str(), port_ring, 0, 0);
    check(ring != nullptr, "a ring");
    return ring;
  }
};

struct Shape {
  unsigned queues;
  unsigned workers;
};

class Steered : public SteeringGround, public testing::WithParamInterface<Shape> {
 protected:
  void open(PortSide side, Shape shape) {
    ring_port = std::make_unique<RingPort>(shape.queues, shape.workers, side, pool);
    bells = std::vector<Doorbell>(shape.workers);
    for (unsigned worker = 0; worker < shape.workers; ++worker) bells[worker].wakes(wake);
    steered.emplace(*ring_port->port, side, udp_port, bells,
                    std::span{any_node}.first(shape.workers));
    counts = std::vector<WorkerCounters>(shape.workers);
    for (unsigned worker = 0; worker < shape.workers; ++worker)
      steered->queue(worker).count_in(counts[worker]);
  }
  void TearDown() override {
    steered.reset();
    ring_port.reset();
    SteeringGround::TearDown();
  }
  void arrive(unsigned queue, const std::vector<std::byte>& packet) {
    check(rte_ring_enqueue(ring_port->arriving[queue], mbuf_of(packet)) == 0, "room at the port");
  }
  // One turn of a worker; what it received, in order.
  std::vector<std::vector<std::byte>> turn(unsigned worker, std::size_t most = 64) {
    std::array<PacketView, 64> views{};
    std::vector<std::vector<std::byte>> packets;
    const auto count = steered->queue(worker).receive(std::span{views}.first(most));
    for (const PacketView& view : std::span{views}.first(count))
      packets.emplace_back(view.data, view.data + view.length);
    steered->queue(worker).release();
    return packets;
  }
  [[nodiscard]] Counters total() const {
    Counters sum;
    for (const WorkerCounters& count : counts) {
      std::ranges::transform(sum.values, count.own().values, sum.values.begin(), std::plus{});
      std::ranges::transform(sum.drops, count.own().drops, sum.drops.begin(), std::plus{});
    }
    return sum;
  }
  // As outbound::emit does.
  void seal_and_send(unsigned worker, std::size_t frames) {
    std::vector<rte_mbuf*> packets;
    for (std::size_t i = 0; i < frames; ++i) packets.push_back(mbuf_of(frame_packet(0)));
    const auto sent = steered->queue(worker).send(packets);
    counts[worker].add(Counter::frames_sealed, frames);
    counts[worker].add(Counter::frames_sent, sent);
    counts[worker].drop(DropReason::wire_tx_full, frames - sent);
  }

  Wake wake;
  std::unique_ptr<RingPort> ring_port;
  std::vector<Doorbell> bells;
  std::optional<SteeredPort> steered;
  std::vector<WorkerCounters> counts;
};

constexpr std::uint16_t flows = 50;
constexpr std::uint32_t packets_a_flow = 10;

TEST_P(Steered, EveryPacketComesOnceAndFlowsKeepTheirOrder) {
  open(PortSide::plain, GetParam());
  const unsigned queues = ring_port->port->queue_count();
  ASSERT_EQ(queues, std::min(GetParam().queues, GetParam().workers));
  for (std::uint32_t number = 0; number < packets_a_flow; ++number)
    for (std::uint16_t flow = 0; flow < flows; ++flow) {
      auto packet = packet_of({.source_port = flow});
      store_be32(&packet[42], number);
      arrive(flow % queues, packet);
    }
  std::map<std::uint16_t, std::uint32_t> next;
  std::map<std::uint16_t, unsigned> owner;
  for (unsigned round = 0; round < 60; ++round)
    for (unsigned worker = 0; worker < GetParam().workers; ++worker)
      for (const auto& packet : turn(worker)) {
        const std::uint16_t flow = load_be16(&packet[34]);
        EXPECT_EQ(load_be32(&packet[42]), next[flow]++) << "of flow " << flow;
        EXPECT_EQ(owner.try_emplace(flow, worker).first->second, worker) << "of flow " << flow;
      }
  EXPECT_EQ(next.size(), flows);
  for (const auto& [flow, count] : next) EXPECT_EQ(count, packets_a_flow) << "of flow " << flow;
  std::vector<unsigned> used(GetParam().workers);
  for (const auto& [flow, worker] : owner) ++used[worker];
  for (const unsigned count : used) EXPECT_GT(count, 0u) << "a worker without a flow";
}

TEST_P(Steered, FramesComeToWhoHasTheirLane) {
  open(PortSide::wire, GetParam());
  const unsigned queues = ring_port->port->queue_count();
  for (std::uint32_t lane = 0; lane < 64; ++lane) arrive(lane / 3 % queues, frame_packet(lane));
  auto handshake = frame_packet(1);
  handshake[42] = std::byte{1};
  arrive(queues - 1, handshake);
  unsigned handshakes = 0;
  std::vector<unsigned> came(64);
  for (unsigned round = 0; round < 20; ++round)
    for (unsigned worker = 0; worker < GetParam().workers; ++worker)
      for (const auto& packet : turn(worker)) {
        if (load_u8(&packet[42]) == 1) {
          EXPECT_EQ(worker, queues - 1) << "who received it deals with it";
          ++handshakes;
          continue;
        }
        const unsigned lane = load_be32(&packet[46]) & 63;
        ++came[lane];
        EXPECT_EQ(worker, lane % GetParam().workers);
      }
  EXPECT_EQ(handshakes, 1u);
  EXPECT_TRUE(std::ranges::all_of(came, [](unsigned count) { return count == 1; }));
}

TEST_P(Steered, EveryWorkerSends) {
  open(PortSide::wire, GetParam());
  for (unsigned worker = 0; worker < GetParam().workers; ++worker) {
    seal_and_send(worker, 20);
    const auto slots = steered->queue(worker).reserve(5);
    ASSERT_EQ(slots.size(), 5u);
    for (TxSlot& slot : slots) slot.length = 60;
    EXPECT_EQ(steered->queue(worker).commit(5), 5u);
  }
  for (unsigned worker = 0; worker < GetParam().workers; ++worker)
    EXPECT_TRUE(turn(worker).empty());
  EXPECT_EQ(ring_port->take_all(), 25u * GetParam().workers);
  EXPECT_EQ(total()[DropReason::mesh_full], 0u);
  EXPECT_EQ(unbalanced_book(total()), "");
}

INSTANTIATE_TEST_SUITE_P(QueuesAndWorkers, Steered,
                         testing::Values(Shape{1, 1}, Shape{1, 2}, Shape{1, 4}, Shape{2, 1},
                                         Shape{2, 2}, Shape{2, 3}, Shape{2, 4}, Shape{4, 2},
                                         Shape{4, 3}, Shape{4, 4}));

class SteeredTwo : public Steered {};

TEST_F(SteeredTwo, OneWorkerHasTheBareQueue) {
  open(PortSide::plain, {.queues = 1, .workers = 1});
  EXPECT_EQ(&steered->queue(0), &ring_port->port->queue(0));
}

TEST_F(SteeredTwo, WhatNobodyTakesIsCountedAndThatEnds) {
  open(PortSide::wire, {.queues = 1, .workers = 2});
  constexpr std::size_t offered = HandOver::room + 100;
  for (std::size_t i = 0; i < offered; ++i) arrive(0, frame_packet(1));
  for (unsigned round = 0; round < 40; ++round) EXPECT_TRUE(turn(0).empty());
  EXPECT_EQ(counts[0].own()[DropReason::mesh_full], 100u);
  std::size_t came = 0;
  for (unsigned round = 0; round < 20; ++round) came += turn(1).size();
  EXPECT_EQ(came, HandOver::room);
  arrive(0, frame_packet(1));
  EXPECT_TRUE(turn(0).empty());
  EXPECT_EQ(turn(1).size(), 1u) << "it goes on";
  EXPECT_EQ(total()[DropReason::mesh_full], 100u);
  EXPECT_EQ(unbalanced_book(total()), "");
}

TEST_F(SteeredTwo, WhatCannotBeSentIsCountedWhereverItEnds) {
  open(PortSide::wire, {.queues = 1, .workers = 2});
  seal_and_send(1, HandOver::room + 7);
  EXPECT_EQ(counts[1].own()[DropReason::wire_tx_full], 7u);
  EXPECT_EQ(counts[1].own()[DropReason::mesh_full], 7u);
  EXPECT_EQ(unbalanced_book(total()), "");
  EXPECT_TRUE(turn(0).empty());
  // The port has room for so many more of the next ones.
  seal_and_send(1, HandOver::room);
  EXPECT_TRUE(turn(0).empty());
  seal_and_send(1, 100);
  EXPECT_TRUE(turn(0).empty());
  constexpr std::size_t left = port_ring - 1 - 2 * HandOver::room;
  EXPECT_EQ(counts[0].own()[DropReason::mesh_full], 100 - left);
  EXPECT_EQ(counts[0].own()[Counter::frames_sent], 0u) << "nothing is taken back";
  EXPECT_EQ(counts[1].own()[Counter::frames_sent], port_ring - 1 + 100 - left);
  EXPECT_EQ(unbalanced_book(total()), "");
  EXPECT_EQ(ring_port->take_all(), port_ring - 1);
  seal_and_send(1, 10);
  EXPECT_TRUE(turn(0).empty());
  EXPECT_EQ(ring_port->take_all(), 10u) << "it recovers";
  EXPECT_EQ(unbalanced_book(total()), "");
}

TEST_F(SteeredTwo, WhoTakesFewHandsOverAllTheSame) {
  open(PortSide::wire, {.queues = 1, .workers = 2});
  for (unsigned i = 0; i < 32; ++i) {
    arrive(0, frame_packet(0));
    arrive(0, frame_packet(1));
  }
  EXPECT_EQ(turn(0, 1).size(), 1u);
  EXPECT_EQ(turn(1).size(), 32u);
  EXPECT_EQ(turn(0, 5).size(), 5u);
  EXPECT_EQ(turn(0).size(), 26u) << "what it had no room for waits";
  EXPECT_EQ(total()[DropReason::mesh_full], 0u);
}

TEST_F(SteeredTwo, SendsForOthersWithoutReceiving) {
  open(PortSide::wire, {.queues = 1, .workers = 2});
  arrive(0, frame_packet(0));
  seal_and_send(1, 20);
  steered->queue(0).serve();
  EXPECT_EQ(ring_port->take_all(), 20u);
  EXPECT_EQ(turn(0).size(), 1u);
}

TEST_F(SteeredTwo, WipesWhatIsBetweenWorkers) {
  open(PortSide::wire, {.queues = 1, .workers = 2});
  const auto free_before = rte_mempool_avail_count(pool);
  for (unsigned i = 0; i < 100; ++i) arrive(0, frame_packet(i % 2));
  (void)turn(0, 1);
  seal_and_send(1, 20);
  steered->queue(0).wipe();
  steered->queue(1).wipe();
  steered->queue(0).serve();
  EXPECT_TRUE(turn(1).empty());
  EXPECT_EQ(ring_port->take_all(), 0u);
  EXPECT_EQ(total()[DropReason::mesh_full], 20u + 63u);
  EXPECT_EQ(turn(0).size(), 18u) << "the device's own are left";
  EXPECT_EQ(turn(1).size(), 18u);
  EXPECT_EQ(rte_mempool_avail_count(pool), free_before);
}

TEST_F(SteeredTwo, NeitherWayInStarvesTheOther) {
  open(PortSide::wire, {.queues = 2, .workers = 2});
  for (unsigned i = 0; i < 200; ++i) arrive(0, frame_packet(0));
  for (unsigned i = 0; i < 60; ++i) arrive(1, frame_packet(2));
  EXPECT_TRUE(turn(1).empty());
  for (const std::size_t most : {1u, 8u}) {
    unsigned own = 0;
    unsigned handed = 0;
    for (unsigned round = 0; round < 4; ++round)
      for (const auto& packet : turn(0, most))
        (load_be32(&packet[46]) & 63) == 0 ? ++own : ++handed;
    EXPECT_EQ(own, handed) << "of " << most << " a turn";
  }
}

TEST_F(SteeredTwo, PacketsInPiecesArePutTogetherByTheirOwner) {
  open(PortSide::wire, {.queues = 1, .workers = 2});
  const auto packet = frame_packet(1);
  rte_mbuf* const head = mbuf_of(std::span{packet}.first(100));
  rte_mbuf* const tail = mbuf_of(std::span{packet}.subspan(100));
  ASSERT_EQ(rte_pktmbuf_chain(head, tail), 0);
  ASSERT_EQ(rte_ring_enqueue(ring_port->arriving[0], head), 0);
  EXPECT_TRUE(turn(0).empty());
  const auto came = turn(1);
  ASSERT_EQ(came.size(), 1u);
  EXPECT_EQ(came.front(), packet);
}

TEST_F(SteeredTwo, AWorkerWithoutAQueueSleepsUntilSomebodyHasSomething) {
  open(PortSide::plain, {.queues = 1, .workers = 2});
  EXPECT_EQ(steered->queue(0).wait_fd(), PortQueue::must_be_polled);
  EXPECT_EQ(steered->queue(1).wait_fd(), PortQueue::waits_for_others);
  ASSERT_TRUE(bells[1].lie_down());
  for (std::uint16_t flow = 0; flow < flows; ++flow) arrive(0, packet_of({.source_port = flow}));
  const auto own = turn(0).size();
  EXPECT_FALSE(bells[1].lie_down());
  EXPECT_EQ(own + turn(1).size(), flows);
}

}  // namespace
}  // namespace penstock::dataplane
