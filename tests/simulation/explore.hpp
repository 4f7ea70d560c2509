// Every sequence of choices up to a depth and a number of faults, over the real state machines of
// both sites. A state is remade by making its choices again from the start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/simulation/failure.hpp"
#include "tests/simulation/model_world.hpp"

namespace penstock::simulation {

struct Bounds {
  unsigned depth = 12;  // choices in a row; behind it only a fair run
  unsigned faults = 1;
  unsigned rekeys = 2;  // commands of the operators
};

struct Exploration {
  std::uint64_t states = 0;       // told apart by their fingerprint
  std::uint64_t transitions = 0;  // choices explored
  std::uint64_t fair_runs = 0;    // to a common session, and through a rekey after that
  unsigned deepest = 0;
  Time longest_recovery{};
  std::optional<Failure> failure;
  std::string choices;  // that led to it
};

[[nodiscard]] Exploration explore(const ModelSetup& setup, const Bounds& bounds);
// These choices, and a fair run.
[[nodiscard]] Exploration retrace(const ModelSetup& setup, const std::vector<Choice>& choices);

}  // namespace penstock::simulation
