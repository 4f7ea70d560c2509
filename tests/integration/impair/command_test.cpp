#include "command.hpp"

#include <gtest/gtest.h>

namespace impair {
namespace {

using namespace std::chrono_literals;

TEST(Command, sets_what_is_named_and_nothing_else) {
  const auto command =
      parse_set("set ab loss=0.02 reorder=1 reorder_distance=64 delay=10000 rate=5");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->directions, Directions::ab);
  EXPECT_EQ(command->settings.loss, 0.02);
  EXPECT_EQ(command->settings.reorder_distance, 64U);
  EXPECT_EQ(command->settings.delay, Time{10ms});
  EXPECT_EQ(command->settings.rate, 5U);
  EXPECT_EQ(command->settings.duplicate, 0);
  EXPECT_EQ(command->settings.mtu, 0U);
}

TEST(Command, a_direction_without_anything_is_a_good_path) {
  const auto command = parse_set("set both");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->directions, Directions::both);
  EXPECT_EQ(command->settings.loss, 0);
}

TEST(Command, refuses_what_it_does_not_understand) {
  for (const auto* line :
       {"set", "set up", "set ab loss", "set ab loss=", "set ab loss=2%", "set ab loss=1.5",
        "set ab loss=-0.1", "set ab =1", "set ab mtu=-1", "set ab colour=1", "set ab mtu=1x"})
    EXPECT_FALSE(parse_set(line)) << line;
}

TEST(Command, counters_are_one_line_of_json) {
  Path path{1};
  auto packet = std::make_unique<Packet>();
  packet->size = 60;
  path.arrive(std::move(packet), 0ns);
  EXPECT_EQ(
      to_json(path, {.delivered = 3, .refused = 2, .kernel_dropped = 1}),
      R"({"seen": 1, "too_long": 0, "lost": 0, "queue_full": 0, "marked": 0, "duplicated": 0, )"
      R"("reordered": 0, "delivered": 3, "refused": 2, "kernel_dropped": 1, "inside": 1})");
}

}  // namespace
}  // namespace impair
