// Runs seeds of the simulation until one fails, their number is done, or the time is over.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "penstock/base/log.hpp"
#include "tests/simulation/explore.hpp"
#include "tests/simulation/scenario.hpp"

namespace penstock::simulation {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct Arguments {
  std::uint64_t seed = 0;
  std::uint64_t seeds = 1;
  unsigned for_seconds = 0;
  unsigned minutes = 10;
  std::string mutation;
  bool is_traced = false;
  bool is_model = false;
  bool is_cold = false;
  Bounds bounds;
};

std::string command_of(const Arguments& arguments, std::uint64_t seed) {
  std::string command =
      fmt::format("scripts/simulate --seed {} --minutes {}", seed, arguments.minutes);
  if (!arguments.mutation.empty()) command += " --mutation " + arguments.mutation;
  return command;
}

// A check of the programs' own that fails ends the process: say which seed it was.
std::string dying_words;
void on_abort(int) {
  [[maybe_unused]] const auto written = write(2, dying_words.data(), dying_words.size());
}

struct Total {
  std::uint64_t seeds = 0;
  Time virtual_time{};
  std::uint64_t events = 0;
  std::uint64_t crashes = 0;
  Time longest_recovery{};
  Checker::Statistics statistics;

  void add(const Outcome& outcome) {
    ++seeds;
    virtual_time += outcome.ended;
    events += outcome.events;
    crashes += outcome.crashes;
    longest_recovery = std::max(longest_recovery, outcome.longest_recovery);
    statistics.sent += outcome.statistics.sent;
    statistics.delivered += outcome.statistics.delivered;
    statistics.frames += outcome.statistics.frames;
    statistics.handshake_messages += outcome.statistics.handshake_messages;
    statistics.sessions += outcome.statistics.sessions;
    statistics.calm_packets += outcome.statistics.calm_packets;
  }
};

double seconds(Time time) { return static_cast<double>(time.count()) / 1e9; }

void report(const Arguments& arguments, const Total& total, double real) {
  fmt::print("simulated seeds {} to {} of {} virtual minutes: {:.0f} virtual s in {:.1f} s, {:.0f} "
             "times real time\n",
             arguments.seed, arguments.seed + total.seeds - 1, arguments.minutes,
             seconds(total.virtual_time), real, seconds(total.virtual_time) / real);
  fmt::print(
      "  {} events, {} crashes, {} sessions, {} handshake messages in the clear, {} frames\n",
      total.events, total.crashes, total.statistics.sessions, total.statistics.handshake_messages,
      total.statistics.frames);
  fmt::print("  packets: {} sent, {} delivered, {} of them in calms that lost none; longest "
             "recovery {:.1f} s\n",
             total.statistics.sent, total.statistics.delivered, total.statistics.calm_packets,
             seconds(total.longest_recovery));
}

int run(const Arguments& arguments) {
  const auto mutation =
      arguments.mutation.empty() ? Mutation::none : mutation_from(arguments.mutation);
  if (!mutation) {
    fmt::print(stderr, "no mutation is called {}\n", arguments.mutation);
    return 2;
  }
  const auto start = Clock::now();
  const auto is_over = [&](std::uint64_t done) {
    return arguments.for_seconds > 0
               ? Clock::now() >= start + std::chrono::seconds{arguments.for_seconds}
               : done >= arguments.seeds;
  };
  Total total;
  while (!is_over(total.seeds)) {
    const std::uint64_t seed = arguments.seed + total.seeds;
    dying_words = fmt::format("simulation: seed {} ended in an abort; the same again:\n  {}\n",
                              seed, command_of(arguments, seed));
    const Outcome outcome = simulate({.seed = seed,
                                      .length = std::chrono::minutes{arguments.minutes},
                                      .mutation = *mutation,
                                      .is_traced = arguments.is_traced});
    total.add(outcome);
    if (!outcome.failure) continue;
    fmt::print(
        "{}simulation: seed {} FAILED after {:.6f} virtual s: {}: {}\nthe same again:\n  {}\n",
        outcome.last_events, seed, seconds(outcome.ended), outcome.failure->invariant,
        outcome.failure->text, command_of(arguments, seed));
    return 1;
  }
  report(arguments, total, std::chrono::duration<double>(Clock::now() - start).count());
  return 0;
}

int run_model(const Arguments& arguments) {
  const auto start = Clock::now();
  const Exploration found =
      explore({.seed = arguments.seed, .has_session = !arguments.is_cold}, arguments.bounds);
  fmt::print("model of seed {}: {} states, {} transitions, {} fair runs, depth {}, {} faults, {} "
             "rekeys; {:.1f} s; longest recovery {:.1f} virtual s\n",
             arguments.seed, found.states, found.transitions, found.fair_runs, found.deepest,
             arguments.bounds.faults, arguments.bounds.rekeys,
             std::chrono::duration<double>(Clock::now() - start).count(),
             seconds(found.longest_recovery));
  if (!found.failure) return 0;
  fmt::print("FAILED: {}: {}\n{}", found.failure->invariant, found.failure->text, found.choices);
  return 1;
}

}  // namespace
}  // namespace penstock::simulation

int main(int argc, char** argv) {
  using namespace penstock;
  simulation::Arguments arguments;
  arguments.seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() /
                                              std::chrono::seconds{1});
  CLI::App app{"Two sites on virtual time, with faults by a seed; every invariant is checked "
               "after every step."};
  app.add_option("--seed", arguments.seed, "the first seed; else made from the date");
  app.add_option("--seeds", arguments.seeds, "how many, one after the other");
  app.add_option("--for", arguments.for_seconds, "as many seeds as fit into so many seconds");
  app.add_option("--minutes", arguments.minutes, "virtual, of each seed");
  app.add_option("--mutation", arguments.mutation, "does something wrong, to see it found");
  app.add_flag("--trace", arguments.is_traced, "prints every event");
  app.add_flag("--model", arguments.is_model,
               "instead: every sequence of choices about sessions, up to these bounds");
  app.add_option("--depth", arguments.bounds.depth, "choices in a row");
  app.add_option("--faults", arguments.bounds.faults,
                 "losses, repeats, delays and crashes, at most 7");
  app.add_option("--rekeys", arguments.bounds.rekeys, "commands of the operators, at most 7");
  app.add_flag("--cold", arguments.is_cold, "begin without a session");
  CLI11_PARSE(app, argc, argv);
  log::start("simulation", log::Level::error);
  std::signal(SIGABRT, simulation::on_abort);
  return arguments.is_model ? simulation::run_model(arguments) : simulation::run(arguments);
}
