#include "dataplane/topology.hpp"

#include <gtest/gtest.h>
#include <rte_mbuf.h>

namespace penstock::dataplane {
namespace {

SiteConfig make_config() {
  SiteConfig config;
  config.file = "site.toml";
  config.name = "alpha";
  config.plain = {.kind = PortConfig::Kind::ethdev, .device = "net_null0"};
  config.wire.port = {.kind = PortConfig::Kind::ethdev, .device = "net_null1"};
  config.wire.address = *parse_prefix("192.0.2.1/24");
  config.links.push_back({.peer = "beta", .endpoint = *parse_endpoint("192.0.2.2", 7670)});
  return config;
}

TEST(Topology, NamesEveryPart) {
  const auto topology = plan_topology(make_config());
  ASSERT_TRUE(topology) << topology.error().message;
  const std::string text = to_string(*topology);
  for (const char* part : {"alpha", "ethdev:net_null0", "ethdev:net_null1", "worker 0", "floats",
                           "commands_0", "notes_0", "punts_0", "heard_0", "frames", "main core"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " is missing in\n" << text;
}

TEST(Topology, StaysSmall) {
  const auto topology = plan_topology(make_config());
  ASSERT_TRUE(topology);
  ASSERT_EQ(topology->memory_mb.size(), 1u);
  EXPECT_LE(topology->memory_mb.front(), 48u);
  EXPECT_GE(topology->frames.front().data_room, RTE_MBUF_DEFAULT_BUF_SIZE)
      << "in smaller buffers some drivers scatter every full frame";
}

TEST(Topology, PinsWorkers) {
  SiteConfig config = make_config();
  config.worker_cores = {3};
  const auto topology = plan_topology(config);
  ASSERT_TRUE(topology);
  EXPECT_EQ(topology->workers.front().core, 3u);
}

TEST(Topology, GrowsWithItsWorkers) {
  const auto one = plan_topology(make_config());
  SiteConfig config = make_config();
  config.worker_count = 4;
  const auto four = plan_topology(config);
  ASSERT_TRUE(one && four);
  ASSERT_EQ(four->workers.size(), 4u);
  EXPECT_EQ(four->rings.size(), 4 * one->rings.size());
  ASSERT_EQ(four->frames.size(), 1u) << "workers that float share a pool";
  EXPECT_EQ(four->frames.front().buffers + 1, 4 * (one->frames.front().buffers + 1));
  EXPECT_EQ(four->held_limit, one->held_limit) << "of a worker";
  EXPECT_GT(four->memory_mb.front(), one->memory_mb.front());
  EXPECT_EQ(four->workers[3].lane, 3u);
}

TEST(Topology, SaysWhoSendsForWhom) {
  SiteConfig config = make_config();
  config.worker_count = 3;
  auto topology = plan_topology(config);
  ASSERT_TRUE(topology);
  EXPECT_NE(to_string(*topology).find("plain queue 2 if there are so many"), std::string::npos);
  topology->plain_queues = {.queues = 2, .is_meshed = true};
  topology->wire_queues = {.queues = 3};
  const std::string text = to_string(*topology);
  EXPECT_NE(text.find("no plain queue, worker 0 sends for it; wire queue 2;"), std::string::npos)
      << text;
  EXPECT_NE(text.find("mesh        plain port"), std::string::npos) << text;
  EXPECT_EQ(text.find("mesh        wire port"), std::string::npos) << text;
}

TEST(Topology, RefusesWhatThisVersionCannotServe) {
  SiteConfig no_interface = make_config();
  no_interface.plain = {.kind = PortConfig::Kind::af_packet, .device = "nosuchport0"};
  ASSERT_FALSE(plan_topology(no_interface));
  EXPECT_NE(plan_topology(no_interface).error().message.find("nosuchport0"), std::string::npos);
}

TEST(Topology, FramesFillTheWiresMtu) {
  EXPECT_EQ(max_frame_size(1500, IpVersion::v4), 1472);
  EXPECT_EQ(max_frame_size(1500, IpVersion::v6), 1452);
  EXPECT_EQ(max_frame_size(9216, IpVersion::v4), 9000);
  EXPECT_EQ(max_frame_size(20, IpVersion::v4), 0);
}

}  // namespace
}  // namespace penstock::dataplane
