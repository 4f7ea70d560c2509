#include "controlplane/admin/link_figures.hpp"

#include <gtest/gtest.h>

namespace penstock::controlplane {
namespace {

using nlohmann::json;

ipc::LinkStats constant() {
  ipc::LinkStats stats{.mode = ShapeMode::constant, .is_paced = 1, .rate = 1'000'000};
  stats.ticks = 200;
  stats.ticks_missed = 3;
  stats.ticks_on_time = 150;
  stats.latest_ns = 1'500'000;
  stats.dummies = 50;
  return stats;
}

ipc::SessionInfo session() {
  ipc::SessionInfo info{.state = ipc::SessionState::current, .frame_size = 1472};
  info.peer = ipc::to_wire(*parse_endpoint("192.0.2.2", 7670));
  return info;
}

TEST(LinkFigures, of_a_link_without_any_are_null) {
  EXPECT_TRUE(shaping_json(nullptr, nullptr).is_null());
  EXPECT_TRUE(queues_json(nullptr).is_null());
  EXPECT_TRUE(path_json(nullptr).is_null());
}

TEST(LinkFigures, of_a_link_without_a_rate_say_its_mode) {
  const ipc::SessionInfo burst = session();
  const json expected{{"mode", "burst"}, {"is_paced", false}};
  EXPECT_EQ(shaping_json(nullptr, &burst), expected);
  const ipc::LinkStats probed{.probes_sent = 3, .probes_answered = 2, .path_frame = 1372};
  EXPECT_EQ(shaping_json(&probed, &burst), expected);
  EXPECT_TRUE(queues_json(&probed).is_null());
  EXPECT_EQ(path_json(&probed),
            (json{{"frame_size", 1372}, {"probes_sent", 3}, {"probes_answered", 2}}));
}

TEST(LinkFigures, of_the_clock) {
  const ipc::LinkStats stats = constant();
  const ipc::SessionInfo info = session();
  const json shaping = shaping_json(&stats, &info);
  EXPECT_EQ(shaping["mode"], "constant");
  EXPECT_EQ(shaping["is_paced"], true);
  EXPECT_EQ(shaping["frames_per_s"], 1000.0);
  EXPECT_EQ(shaping["bits_per_s"], 1000.0 * 8 * (1472 + 42));
  EXPECT_TRUE(shaping["step"].is_null());
  EXPECT_EQ(shaping["ticks"], (json{{"count", 200},
                                    {"missed", 3},
                                    {"on_time", 150},
                                    {"on_time_share", 0.75},
                                    {"latest_s", 0.0015}}));
  EXPECT_EQ(shaping["dummy_share"], 0.25);
  EXPECT_TRUE(shaping["far_side"].is_null()) << "it has said nothing yet";
  EXPECT_TRUE(shaping_json(&stats, nullptr)["bits_per_s"].is_null()) << "no session, no size";
}

TEST(LinkFigures, over_ipv6_count_its_header) {
  const ipc::LinkStats stats = constant();
  ipc::SessionInfo info = session();
  info.peer = ipc::to_wire(*parse_endpoint("[2001:db8::2]", 7670));
  EXPECT_EQ(shaping_json(&stats, &info)["bits_per_s"], 1000.0 * 8 * (1472 + 62));
}

TEST(LinkFigures, tell_the_step_from_1) {
  ipc::LinkStats stats = constant();
  stats.mode = ShapeMode::quantized;
  stats.step = 2;
  const json shaping = shaping_json(&stats, nullptr, "", 4);
  EXPECT_EQ(shaping["step"], 3);
  EXPECT_EQ(shaping["steps"], 4);
}

TEST(LinkFigures, of_the_far_sides_reports) {
  ipc::LinkStats stats = constant();
  stats.reports_heard = 4;
  stats.loss_ppm = 2500;
  stats.frames_lost = 9;
  stats.frames_marked = 1;
  json far_side = shaping_json(&stats, nullptr)["far_side"];
  EXPECT_TRUE(far_side["round_trip_s"].is_null());
  stats.round_trip_ns = 2'000'000;
  far_side = shaping_json(&stats, nullptr)["far_side"];
  EXPECT_EQ(far_side, (json{{"reports", 4},
                            {"loss", 0.0025},
                            {"frames_lost", 9},
                            {"frames_marked", 1},
                            {"round_trip_s", 0.002}}));
}

TEST(LinkFigures, repeat_why_the_breaker_is_not_closed) {
  ipc::LinkStats stats = constant();
  stats.lanes = 4;
  const auto breaker = [&](std::string_view stop) {
    return shaping_json(&stats, nullptr, stop)["breaker"];
  };
  EXPECT_EQ(
      breaker(""),
      (json{
          {"state", "closed"}, {"lanes", 4}, {"lanes_stopped", 0}, {"trips", 0}, {"reason", ""}}));
  stats.lanes_stopped = 1;
  stats.breaker = ipc::BreakerState::open;
  stats.breaker_trips = 1;
  stats.loss_ppm = 123'000;  // of the last report, which may be from before
  EXPECT_EQ(breaker("stopped: so"), (json{{"state", "open"},
                                          {"lanes", 4},
                                          {"lanes_stopped", 1},
                                          {"trips", 1},
                                          {"reason", "stopped: so"}}));
  stats.breaker = ipc::BreakerState::probing;
  EXPECT_EQ(breaker("tried")["state"], "probing");
}

TEST(LinkFigures, of_each_class) {
  ipc::LinkStats stats = constant();
  stats.classes[0] = {.packets = 1, .delay_p99_ns = 3'000'000};
  stats.classes[3] = {.packets = 2,
                      .dropped = 3,
                      .dropped_aqm = 4,
                      .marked = 5,
                      .queued_packets = 6,
                      .queued_bytes = 7,
                      .delay_p50_ns = 1'000'000,
                      .delay_p99_ns = 2'000'000};
  const json queues = queues_json(&stats);
  EXPECT_EQ(queues.size(), packet_classes);
  EXPECT_EQ(queues["voice"]["delay_p99_s"], 0.003);
  EXPECT_EQ(queues["bulk"], (json{{"packets", 2},
                                  {"dropped", 3},
                                  {"dropped_aqm", 4},
                                  {"marked", 5},
                                  {"queued_packets", 6},
                                  {"queued_bytes", 7},
                                  {"delay_p50_s", 0.001},
                                  {"delay_p99_s", 0.002}}));
}

}  // namespace
}  // namespace penstock::controlplane
