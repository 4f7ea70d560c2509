// The files in configs/ are what people start from: they must load, and say what they mean.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "penstock/config/site_config.hpp"

namespace penstock {
namespace {

const std::filesystem::path folder = PENSTOCK_CONFIGS;

SiteConfig load(const char* file) {
  auto config = load_site_config(folder / file);
  EXPECT_TRUE(config) << config.error().message;
  return config ? *std::move(config) : SiteConfig{.links = {LinkConfig{}}, .pipes = {}};
}

TEST(ExampleConfigs, every_one_loads) {
  unsigned count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    if (entry.path().extension() != ".toml") continue;
    const auto config = load_site_config(entry.path());
    EXPECT_TRUE(config) << config.error().message;
    ++count;
  }
  EXPECT_GE(count, 3u);
}

TEST(ExampleConfigs, alpha_and_beta_are_a_pair) {
  const SiteConfig alpha = load("alpha.toml");
  const SiteConfig beta = load("beta.toml");
  EXPECT_EQ(alpha.links[0].peer, beta.name);
  EXPECT_EQ(beta.links[0].peer, alpha.name);
  EXPECT_EQ(alpha.links[0].endpoint, (Endpoint{beta.wire.address.address, beta.wire.udp_port}));
  EXPECT_EQ(beta.links[0].endpoint, (Endpoint{alpha.wire.address.address, alpha.wire.udp_port}));
  EXPECT_EQ(alpha.links[0].key_file, beta.links[0].key_file);
}

// Every optional key of site.toml stands behind "# " with its default: with the marks taken
// away the file loads and means the same.
TEST(ExampleConfigs, the_defaults_that_site_toml_shows_are_the_defaults) {
  std::ifstream stream{folder / "site.toml"};
  std::string uncommented;
  unsigned shown = 0;
  for (std::string line; std::getline(stream, line);) {
    const bool is_key =
        line.starts_with("# ") && line.find(" = ") < 20 && line.find(' ', 2) == line.find(" = ");
    if (is_key) ++shown;
    uncommented += (is_key ? line.substr(2) : line) + "\n";
  }
  EXPECT_EQ(shown, 27u);
  const std::string file = testing::TempDir() + "penstock-uncommented-site.toml";
  std::ofstream{file} << uncommented;
  const auto explicit_config = load_site_config(file);
  std::filesystem::remove(file);
  ASSERT_TRUE(explicit_config) << explicit_config.error().message;

  const SiteConfig config = load("site.toml");
  EXPECT_EQ(explicit_config->worker_count, config.worker_count);
  EXPECT_EQ(explicit_config->idle, config.idle);
  EXPECT_EQ(explicit_config->run_dir, config.run_dir);
  EXPECT_EQ(explicit_config->state_dir, config.state_dir);
  EXPECT_EQ(explicit_config->admin_group, config.admin_group);
  EXPECT_EQ(explicit_config->log_level, config.log_level);
  EXPECT_EQ(explicit_config->lab, config.lab);
  EXPECT_EQ(explicit_config->slow_crypto, config.slow_crypto);
  EXPECT_EQ(explicit_config->wire.udp_port, config.wire.udp_port);
  EXPECT_EQ(explicit_config->pipes, config.pipes);
  const LinkConfig& a = explicit_config->links[0];
  const LinkConfig& b = config.links[0];
  EXPECT_EQ(a.suites, b.suites);
  EXPECT_EQ(a.frame_size, 1472);  // what a wire MTU of 1500 gives
  EXPECT_EQ(a.tag, b.tag);
  EXPECT_EQ(a.min_tag, b.min_tag);
  EXPECT_EQ(a.hold, b.hold);
  EXPECT_EQ(a.rekey_after, b.rekey_after);
  EXPECT_EQ(a.max_age, b.max_age);
  EXPECT_EQ(a.dead_after, b.dead_after);
  EXPECT_EQ(a.roam, b.roam);
  EXPECT_EQ(a.nat, b.nat);
  EXPECT_EQ(a.shape, b.shape);
  EXPECT_EQ(a.priority, b.priority);
  EXPECT_EQ(a.dscp, b.dscp);
  EXPECT_EQ(a.ecn, b.ecn);
}

}  // namespace
}  // namespace penstock
