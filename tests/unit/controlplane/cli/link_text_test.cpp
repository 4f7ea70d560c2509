#include "controlplane/cli/link_text.hpp"

#include <gtest/gtest.h>

namespace penstock::cli {
namespace {

using namespace std::chrono_literals;

LinkConfig over(std::string_view endpoint) {
  return {.peer = "beta", .endpoint = *parse_endpoint(endpoint, 7670)};
}

TEST(LinkText, of_a_link_without_a_rate) {
  EXPECT_EQ(frames_text(over("192.0.2.2"), 1),
            "  frames    as large as the wire allows\n"
            "  shape     burst: frames leave when there is something to say\n"
            "  outer     DSCP 0, not ECN-capable\n");
}

TEST(LinkText, of_a_rate_says_what_it_comes_to) {
  LinkConfig link = over("192.0.2.2");
  link.shape = {
      .mode = ShapeMode::constant, .rate = Rate{.per_second = 100'000'000}, .queue = 50ms};
  link.dscp = 46;
  EXPECT_EQ(frames_text(link, 1),
            "  frames    as large as the wire allows\n"
            "  shape     constant, 100Mbit; packets wait at most 50ms\n"
            "  sends     8.26 kframes/s and 1.08 TB a day with frames of 1472 bytes\n"
            "  priority  the more urgent packets first, by their DSCP\n"
            "  outer     DSCP 46, not ECN-capable\n");
  link.mtu = 1400;
  EXPECT_NE(frames_text(link, 1).find("with frames of 1372 bytes"), std::string::npos);
}

TEST(LinkText, of_steps_says_each) {
  LinkConfig link = over("[2001:db8::2]");
  link.finds_mtu = true;
  link.shape = {.mode = ShapeMode::quantized,
                .steps = {Rate{.per_second = 1000, .unit = Rate::Unit::frames},
                          Rate{.per_second = 2000, .unit = Rate::Unit::frames}},
                .dwell = 10s,
                .queue = 50ms};
  const std::string text = frames_text(link, 1);
  EXPECT_NE(text.find("\n  sends     1.00 kframes/s and 131 GB a day with frames of 1452 bytes\n"
                      "            2.00 kframes/s and 262 GB a day with frames of 1452 bytes\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\n  probes    leave outside the rhythm"), std::string::npos) << text;
}

TEST(LinkText, of_a_queue_that_is_cut_says_so) {
  LinkConfig link = over("192.0.2.2");
  link.hold = 20us;
  link.shape = {.mode = ShapeMode::burst, .rate = Rate{.per_second = 1'000'000'000}, .queue = 1s};
  const std::string text = frames_text(link, 1);
  EXPECT_NE(text.find("  sends     at most 82.6 kframes/s"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  queue     8 MB at most, so packets wait no longer than 69 ms\n"),
            std::string::npos)
      << text;
  EXPECT_NE(
      frames_text(link, 4).find(
          "\n  queue     8 MB at most on each of 4 lanes, so packets wait no longer than 276 ms\n"),
      std::string::npos)
      << frames_text(link, 4);
  EXPECT_NE(text.find("\n  hold      a partly filled frame waits 20 us\n"), std::string::npos);
  link.shape.queue = 60ms;
  EXPECT_EQ(frames_text(link, 1).find("queue  "), std::string::npos);
}

}  // namespace
}  // namespace penstock::cli
