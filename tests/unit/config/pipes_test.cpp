#include <string>

#include <gtest/gtest.h>

#include "penstock/config/site_config.hpp"
#include "site_file.hpp"

namespace penstock {
namespace {

using namespace std::chrono_literals;

using PipesInASiteFile = SiteFile;

const std::string pipe = R"([[pipe]]
name = "mail"
mode = "decrypt"
source = "[::]:8025"
target = "/run/mail"
key_file = "mail.key"
)";
const std::string alone = "[site]\nname = \"alpha\"\n" + pipe;

TEST_F(PipesInASiteFile, have_spipeds_defaults) {
  const auto config = load(std::string{good} + pipe);
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->pipes.size(), 1u);
  const PipeConfig expected{.name = "mail",
                            .mode = PipeConfig::Mode::decrypt,
                            .source = "[::]:8025",
                            .target = "/run/mail",
                            .key_file = folder_ / "mail.key",
                            .bind = {},
                            .user = {}};
  EXPECT_EQ(config->pipes[0], expected);
  EXPECT_TRUE(config->has_links());
}

TEST_F(PipesInASiteFile, every_key_is_read) {
  const auto config = load(alone + R"(forward_secrecy = "require"
max_connections = 0
timeout = "250ms"
resolve_every = "0s"
bind = "192.0.2.1"
user = "www:www"
keep_alive = false
)");
  ASSERT_TRUE(config) << config.error().message;
  const PipeConfig& read = config->pipes[0];
  EXPECT_EQ(read.forward_secrecy, PipeConfig::Secrecy::require);
  EXPECT_EQ(read.max_connections, 0u);
  EXPECT_EQ(read.timeout, 250ms);
  EXPECT_EQ(read.resolve_every, 0ns);
  EXPECT_EQ(read.bind, "192.0.2.1");
  EXPECT_EQ(read.user, "www:www");
  EXPECT_FALSE(read.keep_alive);
}

TEST_F(PipesInASiteFile, may_be_all_there_is) {
  const auto config = load(alone);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->has_links());
  EXPECT_NE(only_pipes(*config).message.find("penstock run"), std::string::npos);
  // Ports want a link, and a link ports.
  EXPECT_EQ(refusal(load(alone + "[ports.plain]\ndevice = \"af_packet:a\"\n")),
            "site.toml:1: link: this key is missing");
  EXPECT_EQ(refusal(load(alone + "[[link]]\npeer = \"b\"\n")),
            "site.toml:1: ports: this key is missing");
}

TEST_F(PipesInASiteFile, what_is_wrong_is_said_with_its_line) {
  EXPECT_EQ(refusal(load(alone + pipe)),
            "site.toml:10: pipe.name: there is a pipe \"mail\" already");
  const auto with = [&](std::string_view piece, std::string_view by) {
    std::string text = alone;
    return refusal(load(text.replace(text.find(piece), piece.size(), by)));
  };
  EXPECT_EQ(with("\"decrypt\"", "\"both\""),
            "site.toml:5: pipe.mode: \"both\" is not \"encrypt\" or \"decrypt\"");
  EXPECT_EQ(with("mode = \"decrypt\"\n", ""), "site.toml:3: pipe.mode: this key is missing");
  EXPECT_NE(with("/run/mail", "mail").find("pipe.target: \"mail\" is not a socket"),
            std::string::npos);
  EXPECT_EQ(with("[[pipe]]", "[pipe]"),
            "site.toml:3: pipe: a pipe is written [[pipe]], with double brackets");
  EXPECT_NE(with("key_file", "keyfile").find("did you mean \"key_file\"?"), std::string::npos);
  EXPECT_EQ(refusal(load(alone + "timeout = \"0s\"\n")),
            "site.toml:9: pipe.timeout: this must be from 1ms to 24h");
}

}  // namespace
}  // namespace penstock
