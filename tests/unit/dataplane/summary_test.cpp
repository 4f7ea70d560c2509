#include "dataplane/summary.hpp"

#include <gtest/gtest.h>

namespace penstock::dataplane {
namespace {

Topology topology_of(unsigned workers, QueuePlan plain, QueuePlan wire) {
  Topology topology{.plain_queues = plain, .wire_queues = wire};
  for (unsigned index = 0; index < workers; ++index) topology.workers.push_back({.index = index});
  return topology;
}

TEST(Summary, SaysWhoSendsForWhom) {
  Topology topology = topology_of(3, {.queues = 3}, {.queues = 1, .is_meshed = true});
  EXPECT_EQ(summary(topology),
            "3 workers (float); plain: 3 queues; wire: 1 queue, workers 1 and 2 send through "
            "worker 0");
  for (unsigned index = 0; index < 3; ++index) topology.workers[index].core = 2 + index;
  topology.plain_queues = {.queues = 2, .is_meshed = true};
  topology.wire_queues = {.queues = 3, .is_meshed = true};
  EXPECT_EQ(summary(topology),
            "3 workers (cores 2, 3, 4); plain: 2 queues, worker 2 sends through worker 0; wire: "
            "3 queues, packets pass from worker to worker");
  EXPECT_EQ(summary(topology_of(1, {.queues = 1}, {.queues = 1})),
            "1 worker (floats); plain: 1 queue; wire: 1 queue");
}

TEST(Summary, DoubtsWhatTheMachineHasNoRoomFor) {
  SiteConfig config;
  const Topology topology = topology_of(2, {.queues = 2}, {.queues = 2});
  EXPECT_TRUE(doubts(config, topology, 2).empty());
  EXPECT_EQ(doubts(config, topology, 1).size(), 1u);
  config.idle = IdleMode::spin;
  EXPECT_TRUE(doubts(config, topology, 3).empty());
  EXPECT_EQ(doubts(config, topology, 2).size(), 1u) << "nothing is left for anybody else";
}

TEST(Summary, DoubtsRhythmsThatOthersSendFor) {
  SiteConfig config;
  config.links.push_back({.peer = "beta"});
  const Topology one_queue = topology_of(2, {.queues = 2}, {.queues = 1, .is_meshed = true});
  EXPECT_TRUE(doubts(config, one_queue, 4).empty()) << "no link has a rate";
  config.links.front().shape.mode = ShapeMode::constant;
  EXPECT_EQ(doubts(config, one_queue, 4).size(), 1u);
  EXPECT_TRUE(doubts(config, topology_of(2, {.queues = 2}, {.queues = 2}), 4).empty());
}

}  // namespace
}  // namespace penstock::dataplane
