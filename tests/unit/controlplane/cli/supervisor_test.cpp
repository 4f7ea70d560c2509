#include "controlplane/cli/supervisor.hpp"

#include <csignal>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <gtest/gtest.h>

namespace penstock::cli {
namespace {

using namespace std::chrono_literals;

TEST(Supervisor, passes_SIGHUP_on_to_what_reads_its_config_again) {
  ::signal(SIGHUP, SIG_DFL);
  asio::io_context loop;
  const std::vector<std::string> sleep{"/bin/sleep", "600"};  // which a hangup kills
  Supervisor supervisor{loop,
                        {{.name = "deaf", .arguments = sleep},
                         {.name = "reader", .arguments = sleep, .reads_config_again = true}}};
  asio::post(loop, [] { ::raise(SIGHUP); });
  asio::steady_timer later{loop, 500ms};
  later.async_wait([](const std::error_code&) { ::raise(SIGTERM); });
  testing::internal::CaptureStderr();
  EXPECT_EQ(supervisor.run(), 0);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("reader was killed by signal 1 (Hangup)"), said.npos) << said;
  EXPECT_EQ(said.find("deaf"), said.npos) << said;
}

TEST(Supervisor, under_nohup_a_hangup_stops_nothing) {
  ::signal(SIGHUP, SIG_IGN);
  asio::io_context loop;
  Supervisor supervisor{loop, {{.name = "sleep", .arguments = {"/bin/sleep", "600"}}}};
  asio::post(loop, [] {
    ::raise(SIGHUP);
    ::raise(SIGTERM);
  });
  testing::internal::CaptureStderr();
  EXPECT_EQ(supervisor.run(), 0);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ::signal(SIGHUP, SIG_DFL);
}

TEST(Supervisor, a_child_that_keeps_refusing_is_asked_ever_more_rarely) {
  std::chrono::milliseconds died{0};
  std::chrono::milliseconds refused{0};
  for (int i = 0; i < 6; ++i) {
    died = next_backoff(died, false);
    refused = next_backoff(refused, true);
    EXPECT_EQ(died, refused) << "soon at first: a port may just be late";
  }
  for (int i = 0; i < 10; ++i) {
    died = next_backoff(died, false);
    refused = next_backoff(refused, true);
  }
  EXPECT_EQ(died, 5s);
  EXPECT_EQ(refused, 1min);
  EXPECT_EQ(next_backoff(refused, false), 5s);
}

}  // namespace
}  // namespace penstock::cli
