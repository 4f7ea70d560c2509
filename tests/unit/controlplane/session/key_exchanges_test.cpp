// Links of every key exchange, on a bad wire.
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/simulation.hpp"

namespace penstock::controlplane {
namespace {

class EveryKeyExchange : public testing::TestWithParam<KeyExchange> {};

TEST_P(EveryKeyExchange, SettlesAndRekeysOnABadWire) {
  const Suite suite{GetParam(), Protection::aes256_ctr_sha256};
  const Simulation::SiteSetup setup{.suites = {suite}};
  Simulation simulation{7, setup, setup};
  simulation.wire = {.loss_percent = 20, .double_percent = 20, .shortest = 1ms, .longest = 300ms};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(120s));
  simulation.rekey(0);
  simulation.run_for(12s);
  ASSERT_TRUE(simulation.run_until_converged(40s));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(simulation.site(i).dataplane->counters().wrong_key, 0u);
    for (const auto& session : simulation.site(i).dataplane->living(simulation.now))
      EXPECT_EQ(session.suite, suite.code());
  }
}

INSTANTIATE_TEST_SUITE_P(Simulation, EveryKeyExchange,
                         testing::Values(KeyExchange::x25519, KeyExchange::p256, KeyExchange::p384,
                                         KeyExchange::modp2048),
                         [](const auto& instance) {
                           return std::string{to_string(instance.param)};
                         });

}  // namespace
}  // namespace penstock::controlplane
