#include "penstock/base/log.hpp"

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

TEST(Log, a_line_has_time_level_and_program) {
  CaptureStderr();
  log::start("penstockd", log::Level::info);
  log::info("text with {} and %n");
  const std::string line = GetCapturedStderr();
  EXPECT_EQ(line.substr(23), "Z info penstockd: text with {} and %n\n") << line;
  EXPECT_EQ(line.substr(4, 1) + line.substr(10, 1) + line.substr(19, 1), "-T.") << line;
}

TEST(Log, lines_below_the_level_are_left_out) {
  CaptureStderr();
  log::start("p", log::Level::warn);
  log::debug("one");
  log::info("two");
  log::warn("three");
  log::error("four");
  const std::string text = GetCapturedStderr();
  EXPECT_EQ(text.find("one"), text.npos);
  EXPECT_EQ(text.find("two"), text.npos);
  EXPECT_NE(text.find("warning p: three\n"), text.npos);
  EXPECT_NE(text.find("error p: four\n"), text.npos);
}

TEST(Log, control_characters_cannot_forge_a_line) {
  CaptureStderr();
  log::start("p", log::Level::info);
  log::info("a\nb\x1b[31m");
  const std::string text = GetCapturedStderr();
  EXPECT_NE(text.find("info p: a?b?[31m\n"), text.npos) << text;
}

TEST(Log, levels_have_names) {
  log::Level level{};
  EXPECT_TRUE(log::parse_level("debug", level));
  EXPECT_EQ(level, log::Level::debug);
  EXPECT_TRUE(log::parse_level("error", level));
  EXPECT_EQ(level, log::Level::error);
  EXPECT_FALSE(log::parse_level("loud", level));
  EXPECT_EQ(level, log::Level::error);
}

TEST(RateLimit, lets_one_through_and_says_how_many_it_held_back) {
  log::RateLimit limit{10s};
  unsigned suppressed = 77;
  EXPECT_TRUE(limit.allow(5s, suppressed));
  EXPECT_EQ(suppressed, 0u);
  EXPECT_FALSE(limit.allow(6s, suppressed));
  EXPECT_FALSE(limit.allow(14999ms, suppressed));
  EXPECT_TRUE(limit.allow(15s, suppressed));
  EXPECT_EQ(suppressed, 2u);
  EXPECT_FALSE(limit.allow(16s, suppressed));
  EXPECT_TRUE(limit.allow(100s, suppressed));
  EXPECT_EQ(suppressed, 1u);
}

}  // namespace
}  // namespace penstock
