#include "controlplane/cli/pipes.hpp"

#include <variant>

#include <gtest/gtest.h>

#include "controlplane/pipe/options.hpp"

namespace penstock::cli {
namespace {

using namespace std::chrono_literals;
using namespace controlplane::pipe;

Options told(const PipeConfig& pipe) {
  auto parsed = parse_options(pipe_arguments(pipe), Dialect::penstock_pipe);
  EXPECT_TRUE(std::holds_alternative<Options>(parsed));
  return std::holds_alternative<Options>(parsed) ? std::get<Options>(parsed) : Options{};
}

PipeConfig shortest() {
  return {.name = "mail",
          .mode = PipeConfig::Mode::encrypt,
          .source = "[::1]:1",
          .target = "host:2",
          .key_file = "/key",
          .bind = {},
          .user = {}};
}

TEST(PipeArguments, SayWhatTheConfigSays) {
  const Options options = told(shortest());
  EXPECT_EQ(options.site_pipe, "mail");
  EXPECT_EQ(options.source, "[::1]:1");
  EXPECT_EQ(options.target, "host:2");
  EXPECT_EQ(options.key_file, "/key");
  EXPECT_EQ(options.settings.role, Role::client);
  EXPECT_EQ(options.settings.max_connections, 100);
  EXPECT_EQ(options.settings.timeout, 5s);
  EXPECT_EQ(options.resolve_every, 60s);
  EXPECT_TRUE(options.settings.secrecy.is_forward && !options.settings.secrecy.is_required);
  EXPECT_TRUE(options.settings.keeps_alive && options.waits_for_names && !options.is_daemon);
  EXPECT_EQ(options.bind + options.user, "");
}

TEST(PipeArguments, SayAllOfIt) {
  PipeConfig pipe = shortest();
  pipe.mode = PipeConfig::Mode::decrypt;
  pipe.forward_secrecy = PipeConfig::Secrecy::require;
  pipe.max_connections = 0;
  pipe.timeout = 1500us;
  pipe.resolve_every = 0s;
  pipe.bind = "192.0.2.1";
  pipe.user = ":www";
  pipe.keep_alive = false;
  const Options options = told(pipe);
  EXPECT_EQ(options.settings.role, Role::server);
  EXPECT_TRUE(options.settings.secrecy.is_required);
  EXPECT_EQ(options.settings.max_connections, 0);
  EXPECT_EQ(options.settings.timeout, 2ms);
  EXPECT_EQ(options.resolve_every, 0s);
  EXPECT_EQ(options.bind, "192.0.2.1");
  EXPECT_EQ(options.user, ":www");
  EXPECT_FALSE(options.settings.keeps_alive);
  pipe.forward_secrecy = PipeConfig::Secrecy::no;
  EXPECT_FALSE(told(pipe).settings.secrecy.is_forward);
}

TEST(PipeCheck, NamesThePipeThatIsWrong) {
  PipeConfig pipe = shortest();
  pipe.target = "[::1:2";
  const auto text = check_pipe(pipe);
  ASSERT_FALSE(text);
  EXPECT_TRUE(text.error().message.starts_with("pipe mail: "));
}

}  // namespace
}  // namespace penstock::cli
