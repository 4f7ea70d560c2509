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
  EXPECT_LE(topology->memory_mb, 48u);
  EXPECT_GE(topology->frames.data_room, RTE_MBUF_DEFAULT_BUF_SIZE)
      << "in smaller buffers some drivers scatter every full frame";
}

TEST(Topology, PinsWorkers) {
  SiteConfig config = make_config();
  config.worker_cores = {3};
  const auto topology = plan_topology(config);
  ASSERT_TRUE(topology);
  EXPECT_EQ(topology->workers.front().core, 3u);
}

TEST(Topology, RefusesWhatThisVersionCannotServe) {
  SiteConfig two_workers = make_config();
  two_workers.worker_count = 2;
  ASSERT_FALSE(plan_topology(two_workers));
  EXPECT_NE(plan_topology(two_workers).error().message.find("workers"), std::string::npos);

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
