// Links of every suite, and what is said of those that protect nothing.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/simulation.hpp"

namespace penstock::controlplane {
namespace {

constexpr Suite x25519{KeyExchange::x25519, Protection::aes256_ctr_sha256};
constexpr Suite gcm{KeyExchange::x25519, Protection::aes256_gcm};
constexpr Suite null_suite{KeyExchange::x25519, Protection::none};
constexpr std::string_view session_shout =
    "link beta (198.51.100.7:7670): suite X25519-NULL: NOTHING is encrypted or authenticated";
constexpr std::string_view config_shout =
    "link beta (198.51.100.7:7670): the config allows suite X25519-NULL, which encrypts and "
    "authenticates NOTHING";

std::size_t count_of(const std::vector<std::string>& lines, std::string_view start) {
  return static_cast<std::size_t>(std::ranges::count_if(
      lines, [&](const std::string& line) { return line.starts_with(start); }));
}

Suite suite_of(Simulation& simulation, int index) {
  for (const ipc::SessionInfo& info : simulation.site(index).dataplane->living(simulation.now))
    if (info.state == ipc::SessionState::current) return suite_from_code(info.suite).value();
  return {};
}

class EveryProtection : public testing::TestWithParam<ProtectionTraits> {
 protected:
  Suite suite{KeyExchange::x25519, GetParam().protection};
  Simulation::SiteSetup setup{.suites = {suite}, .tag = 48, .min_tag = 12};
};

TEST_P(EveryProtection, SettlesAndRekeysOnABadWire) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Simulation simulation{seed, setup, setup};
    simulation.wire = {.loss_percent = 20, .double_percent = 20, .shortest = 1ms, .longest = 300ms};
    simulation.start_both();
    ASSERT_TRUE(simulation.run_until_converged(120s)) << "seed " << seed;
    simulation.rekey(0);
    simulation.run_for(12s);
    ASSERT_TRUE(simulation.run_until_converged(40s)) << "seed " << seed;
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(suite_of(simulation, i), suite);
      EXPECT_EQ(simulation.site(i).dataplane->counters().wrong_key, 0u);
      for (const auto& session : simulation.site(i).dataplane->living(simulation.now))
        EXPECT_EQ(session.tag, GetParam().max_tag);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Simulation, EveryProtection, testing::ValuesIn(protections),
                         [](const auto& instance) {
                           std::string name{instance.param.name};
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(LinkLog, NamesTheSuiteOfASessionThatComesUpOrIsTakenOver) {
  Simulation simulation{1};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  const std::string link = "link beta (198.51.100.7:7670): ";
  const auto says = [&](std::string_view start, std::string_view end) {
    return std::ranges::any_of(simulation.site(0).notices, [&](const std::string& line) {
      return line.starts_with(link + std::string{start}) && line.find(end) != std::string::npos;
    });
  };
  EXPECT_TRUE(says("up: session ", ", X25519-AES256_CTR-SHA256, tag 16, as "));
  simulation.run_for(10min);
  EXPECT_FALSE(says("the new session is", "")) << "every rekey made the same suite";
  simulation.stop_controller(0);
  simulation.start_controller(0);
  simulation.run_for(1s);
  EXPECT_TRUE(says("up: took over a living session", ", X25519-AES256_CTR-SHA256, tag 16, as "));
}

TEST(LinkLog, NamesBothSuitesWhenARekeyChangesThem) {
  Simulation simulation{1, {.suites = {gcm, x25519}}, {.suites = {x25519}}};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  simulation.stop_controller(1);
  simulation.site(1).setup.suites = {gcm};
  simulation.start_controller(1);
  simulation.run_for(1s);
  simulation.rekey(0);
  simulation.run_for(5s);
  EXPECT_EQ(suite_of(simulation, 0), gcm);
  EXPECT_EQ(count_of(simulation.site(0).notices,
                     "link beta (198.51.100.7:7670): the new session is X25519-AES256_GCM, tag 16; "
                     "the one before was X25519-AES256_CTR-SHA256, tag 16"),
            1u);
}

TEST(UnprotectedLink, IsSaidAtTheStartAndAtEverySession) {
  Simulation simulation{1, {.suites = {null_suite}}, {.suites = {null_suite}}};
  simulation.start_controller(0);
  simulation.run_for(1s);
  EXPECT_EQ(count_of(simulation.site(0).notices, config_shout), 1u) << "before any session";
  simulation.start_dataplane(0);
  simulation.start_dataplane(1);
  simulation.start_controller(1);
  ASSERT_TRUE(simulation.run_until_converged(5s));
  simulation.run_for(10min);
  const LinkStatus status = simulation.site(0).controller->status();
  EXPECT_GE(status.handshakes_completed, 5u);
  EXPECT_EQ(count_of(simulation.site(0).notices, session_shout), status.handshakes_completed);
  EXPECT_EQ(count_of(simulation.site(0).notices, config_shout), 1u);
  EXPECT_EQ(simulation.site(0).errors.size(), 1 + status.handshakes_completed)
      << "each of these lines, whatever log_level is";
}

TEST(UnprotectedLink, IsSaidAgainByTheOneThatTakesItsSessionOver) {
  Simulation simulation{1, {.suites = {null_suite}}, {.suites = {null_suite}}};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  simulation.stop_controller(0);
  simulation.site(0).notices.clear();
  simulation.start_controller(0);
  simulation.run_for(1s);
  EXPECT_EQ(count_of(simulation.site(0).notices, session_shout), 1u);
}

TEST(UnprotectedLink, IsGivenUpByAPenstockdWhoseConfigDoesNotListIt) {
  Simulation simulation{1, {.suites = {null_suite}}, {.suites = {null_suite, x25519}}};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  EXPECT_EQ(suite_of(simulation, 0), null_suite);
  simulation.stop_controller(0);
  simulation.site(0).setup.suites = {x25519};
  simulation.start_controller(0);
  ASSERT_TRUE(simulation.run_until_converged(30s));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(suite_of(simulation, i), x25519);
  EXPECT_EQ(count_of(simulation.site(0).notices,
                     "link beta (198.51.100.7:7670): removed a living session of suite "
                     "X25519-NULL, which the config no longer lists"),
            1u);
}

TEST(UnprotectedLink, IsToldByItsStatusThoughNotTaken) {
  Simulation simulation{1, {.suites = {x25519, null_suite}}, {.suites = {x25519}}};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  EXPECT_TRUE(simulation.site(0).controller->status().lists_null);
  EXPECT_FALSE(simulation.site(1).controller->status().lists_null);
}

TEST(ProtectedLink, IsNotShoutedAbout) {
  Simulation simulation{1};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  simulation.run_for(10min);
  EXPECT_TRUE(std::ranges::none_of(simulation.site(0).notices, [](const std::string& line) {
    return line.find("NOTHING") != std::string::npos;
  }));
}

}  // namespace
}  // namespace penstock::controlplane
