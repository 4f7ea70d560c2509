// A run: storms of faults, each followed by a calm in which both sites must find together again
// and then lose nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "penstock/base/clock.hpp"
#include "tests/simulation/checker.hpp"
#include "tests/simulation/mutation.hpp"

namespace penstock::simulation {

struct Options {
  std::uint64_t seed = 0;
  Time length{};  // virtual
  Mutation mutation = Mutation::none;
  bool is_traced = false;
};

struct Outcome {
  std::optional<Failure> failure;
  std::string last_events;  // before the failure
  Time ended{};             // virtual, since the start
  std::uint64_t hash = 0;   // of all events
  std::uint64_t events = 0;
  Checker::Statistics statistics;
  std::uint64_t crashes = 0;
  Time longest_recovery{};  // from a healed wire to traffic both ways
};

[[nodiscard]] Outcome simulate(const Options& options);

}  // namespace penstock::simulation
