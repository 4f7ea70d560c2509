#include "controlplane/cli/shaping_text.hpp"

#include <gtest/gtest.h>

#include "controlplane/admin/link_figures.hpp"
#include "controlplane/cli/amounts.hpp"

namespace penstock::cli {
namespace {

using nlohmann::json;

json link(const ipc::LinkStats& stats, std::string_view stop = {}) {
  ipc::SessionInfo session{.frame_size = 1472};
  return {{"shaping", controlplane::shaping_json(&stats, &session, stop, 3)},
          {"queues", controlplane::queues_json(&stats)},
          {"path", controlplane::path_json(&stats)}};
}

std::string page(const ipc::LinkStats& stats) { return shaping_text(link(stats), nullptr); }

TEST(Amounts, of_small_times_and_shares) {
  EXPECT_EQ(delay(0.0000123), "12 us");
  EXPECT_EQ(delay(0.0012), "1.2 ms");
  EXPECT_EQ(delay(0.0456), "46 ms");
  EXPECT_EQ(percent(0.982), "98.2 %");
  EXPECT_EQ(percent(0.00012), "0.012 %");
  EXPECT_EQ(percent(0), "0.0 %");
}

TEST(ShapingText, of_a_link_that_sends_when_it_has_something_to_say_is_empty) {
  EXPECT_EQ(page({}), "");
  EXPECT_EQ(shaping_text({{"shaping", nullptr}, {"queues", nullptr}, {"path", nullptr}}, nullptr),
            "");
}

TEST(ShapingText, of_a_link_that_has_just_begun) {
  EXPECT_EQ(page({.mode = ShapeMode::constant, .is_paced = 1, .rate = 1'000'000}),
            "  constant at 1.00 kframes/s, 12.1 Mbit/s\n");
}

TEST(ShapingText, of_a_busy_link) {
  ipc::LinkStats stats{.mode = ShapeMode::quantized, .is_paced = 1, .step = 1, .rate = 500'000};
  stats.ticks = 1000;
  stats.ticks_missed = 2;
  stats.ticks_on_time = 990;
  stats.latest_ns = 400'000;
  stats.dummies = 250;
  stats.breaker_trips = 1;
  stats.reports_heard = 7;
  stats.loss_ppm = 300;
  stats.frames_marked = 5;
  stats.round_trip_ns = 12'000'000;
  stats.classes[2] = {.packets = 1500,
                      .dropped_aqm = 4,
                      .queued_packets = 6,
                      .delay_p50_ns = 800'000,
                      .delay_p99_ns = 6'200'000};
  stats.probes_sent = 12;
  stats.probes_answered = 11;
  stats.path_frame = 1372;
  EXPECT_EQ(page(stats),
            "  quantized at 500 frames/s, 6.06 Mbit/s, step 2 of 3; 25.0 % dummies\n"
            "  stopped 1 time by its circuit breaker\n"
            "  ticks 99.0 % on time, at worst 400 us late, missed 2 (0.2 % of ticks)\n"
            "  far side: 0.030 % of our frames lost, 5 marked by routers, round trip 12 ms\n"
            "  normal 1.50 k packets waited 800 us (p50), 6.2 ms (p99), 4 dropped early, 6 wait\n"
            "  path carries frames of 1372 bytes; 12 probes, 11 answered\n");
}

// It stands behind the link's state already.
TEST(ShapingText, does_not_repeat_why_nothing_leaves) {
  const ipc::LinkStats stats{.mode = ShapeMode::constant, .is_paced = 1, .breaker_trips = 2};
  EXPECT_EQ(shaping_text(link(stats, "stopped: so"), nullptr),
            "  constant at 0 frames/s, 0 bit/s\n  stopped 2 times by its circuit breaker\n");
}

TEST(ShapingText, says_how_many_lanes_are_stopped) {
  ipc::LinkStats stats{.mode = ShapeMode::constant, .breaker_trips = 2};
  stats.is_paced = 1;
  stats.lanes = 4;
  stats.lanes_stopped = 1;
  const auto shows = [&](std::string_view text) {
    return shaping_text(link(stats), nullptr).contains(text);
  };
  EXPECT_TRUE(shows("  stopped 2 times by its circuit breaker; 1 of 4 lanes now\n"));
  stats.lanes = 1;
  EXPECT_TRUE(shows("  stopped 2 times by its circuit breaker\n"));
  stats.lanes = 4;
  stats.lanes_stopped = 0;
  EXPECT_TRUE(shows("  stopped 2 times by its circuit breaker\n"));
}

TEST(ShapingText, says_that_the_machine_is_too_slow_while_it_is) {
  const auto since = [](std::uint64_t ticks, std::uint64_t missed, const json& before) {
    ipc::LinkStats stats{.mode = ShapeMode::constant, .is_paced = 1, .rate = 1'000'000};
    stats.ticks = ticks;
    stats.ticks_missed = missed;
    return shaping_text(link(stats), before).contains("\n  this machine is too slow for this rate");
  };
  EXPECT_FALSE(since(1000, 10, nullptr));
  EXPECT_TRUE(since(1000, 11, nullptr));
  ipc::LinkStats then{.mode = ShapeMode::constant, .is_paced = 1};
  then.ticks = 1000;
  then.ticks_missed = 500;
  EXPECT_FALSE(since(2000, 510, link(then))) << "it was, and is no more";
  EXPECT_TRUE(since(2000, 511, link(then)));
  EXPECT_TRUE(since(100, 50, link(then))) << "another clock";
  EXPECT_FALSE(since(1000, 10, {{"shaping", nullptr}}));
  EXPECT_FALSE(since(1000, 10, {{"shaping", {{"mode", "burst"}, {"is_paced", false}}}}));
}

}  // namespace
}  // namespace penstock::cli
