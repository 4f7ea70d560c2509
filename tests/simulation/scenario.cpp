#include "scenario.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "penstock/link/circuit_breaker.hpp"
#include "tests/simulation/world.hpp"

namespace penstock::simulation {
namespace {

using namespace std::chrono_literals;

// From the last fault until traffic flows both ways. What may have to pass: a session that one
// side alone believes in (dead_after), attempts inside it, the longest wait between attempts.
constexpr Time recovery_bound = 60s;
// And where frames are timed: the circuit breaker may have opened by what the storm did last.
constexpr Time breaker_bound = recovery_bound + CircuitBreaker::last_wait;
// Of what leaves in a storm.
constexpr Time longest_delay = 350ms;
constexpr Time longest_jitter = 300ms;
// What was under way when the wire healed has arrived, or was given up.
constexpr Time settling = 1500ms;

class Scenario {
 public:
  explicit Scenario(const Options& options)
      : options_(options),
        directory_(std::filesystem::temp_directory_path() /
                   fmt::format("penstock-simulation-{}", getpid())),
        world_({.seed = options.seed,
                .mutation = options.mutation,
                .is_traced = options.is_traced,
                .directory = directory_}) {}
  ~Scenario() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;

  Outcome run() {
    Outcome outcome;
    const Time start = world_.now();
    try {
      while (world_.now() < start + options_.length) {
        storm();
        heal();
        calm();
      }
    } catch (const Failure& failure) {
      outcome.failure = failure;
      outcome.last_events = world_.log.tail();
    }
    outcome.ended = world_.now() - start;
    outcome.hash = world_.log.hash();
    outcome.events = world_.log.count();
    outcome.statistics = world_.checker.statistics();
    outcome.crashes = crashes_;
    outcome.longest_recovery = longest_recovery_;
    return outcome;
  }

 private:
  [[nodiscard]] Chance& chance() { return world_.chance(); }
  int any_site() { return static_cast<int>(chance().below(2)); }

  void storm() {
    world_.note("storm");
    const Time end = world_.now() + chance().time(1s, 60s);
    spoil_wire();
    while (world_.now() < end) {
      world_.run_until(std::min(end, world_.now() + chance().time(1ms, 6s)));
      fault();
    }
    // What each site makes of silence decides how long they need to find together again.
    if (chance().percent(30)) {
      world_.set_wire({.loss_percent = {chance().percent(70) ? 100u : 0u, 100}});
      world_.run_until(world_.now() + chance().time(0s, 120s));
    }
  }

  void fault() {
    const int site = any_site();
    switch (chance().below(12)) {
      case 0:
        return crash_controller(site);
      case 1:
        return crash_dataplane(site);
      case 2:
        crash_controller(site);
        return crash_dataplane(site);
      case 3:
        return spoil_wire();
      case 4:
        return world_.rebind();
      case 5:
        return world_.reload(site);
      case 6:
        return world_.choke_ports(site);
      case 7:
        return world_.open_ports(site);
      case 8:
        world_.rekey(0);
        return world_.rekey(1);
      default:
        return world_.rekey(site);
    }
  }

  // Mostly soon back, sometimes not until the sessions have reached their age.
  Time absence() { return chance().percent(8) ? chance().time(8s, 400s) : chance().time(0s, 8s); }

  void crash_controller(int site) {
    ++crashes_;
    world_.kill_controller(site);
    world_.at(world_.now() + absence(), [this, site] { world_.start_controller(site); });
  }
  void crash_dataplane(int site) {
    ++crashes_;
    world_.kill_dataplane(site);
    world_.at(world_.now() + absence(), [this, site] { world_.start_dataplane(site); });
  }

  // Of each direction: a cut says less than a wire that leads only one way.
  std::array<unsigned, 2> loss() {
    const auto bound = static_cast<unsigned>(chance().below(40));
    std::array<unsigned, 2> percent{};
    for (unsigned& one : percent)
      one = chance().percent(15) ? 100 : static_cast<unsigned>(chance().below(bound + 1));
    return percent;
  }

  void spoil_wire() {
    const auto up_to = [&](unsigned bound) { return static_cast<unsigned>(chance().below(bound)); };
    const Time shortest = chance().time(100us, longest_delay - longest_jitter);
    world_.set_wire({.loss_percent = loss(),
                     .double_percent = up_to(30),
                     .flip_percent = up_to(5),
                     .replay_percent = up_to(10),
                     .forge_percent = up_to(5),
                     .shortest = shortest,
                     .longest = shortest + chance().time(0us, longest_jitter)});
  }

  void heal() {
    world_.note("calm");
    is_fifo_ = chance().percent(50);
    const Time shortest = chance().time(100us, 30ms);
    const unsigned loss = options_.mutation == Mutation::stays_cut ? 100 : 0;
    world_.set_wire({.loss_percent = {loss, loss},
                     .double_percent = is_fifo_ ? 0 : 10u,
                     .shortest = shortest,
                     .longest = is_fifo_ ? shortest : shortest + 1ms});
    // A storm may leave penstockd away while sessions age.
    if (chance().percent(10)) world_.run_until(world_.now() + chance().time(0s, 500s));
    for (int site = 0; site < 2; ++site) {
      world_.start_dataplane(site);
      world_.start_controller(site);
      world_.open_ports(site);
    }
    await_recovery();
  }

  // Until both sites send on one session and packets came through both ways since now.
  void await_recovery() {
    const Time healed = world_.now();
    // What left in the storm proves nothing of the wire as it is now.
    world_.run_until(healed + longest_delay);
    const std::array before{world_.checker.delivered_at(0), world_.checker.delivered_at(1)};
    const auto is_recovered = [&] {
      return world_.is_settled() && world_.checker.delivered_at(0) > before[0] &&
             world_.checker.delivered_at(1) > before[1];
    };
    const Time bound = world_.has_breaker() ? breaker_bound : recovery_bound;
    while (!is_recovered()) {
      if (world_.now() > healed + bound)
        throw Failure{"never stuck", fmt::format("no session {} s after the wire healed and all "
                                                 "processes were up",
                                                 bound / 1s)};
      world_.run_until(world_.now() + 50ms);
    }
    longest_recovery_ = std::max(longest_recovery_, world_.now() - healed);
  }

  void calm() {
    world_.run_until(world_.now() + settling);
    if (!world_.is_settled()) return;  // at the next rekey already
    world_.checker.calm_begins(is_fifo_);
    const Time end = world_.now() + chance().time(1s, 60s);
    while (world_.now() < end) {
      world_.run_until(std::min(end, world_.now() + chance().time(1ms, 10s)));
      if (chance().percent(50)) world_.rekey(any_site());
      if (chance().percent(30)) world_.rekey(any_site());
      if (chance().percent(20)) world_.reload(any_site());
    }
    world_.checker.calm_ends();
    world_.run_until(world_.now() + settling);
    world_.checker.expect_nothing_lost();
  }

  Options options_;
  std::filesystem::path directory_;
  World world_;
  bool is_fifo_ = false;
  std::uint64_t crashes_ = 0;
  Time longest_recovery_{};
};

}  // namespace

Outcome simulate(const Options& options) { return Scenario{options}.run(); }

}  // namespace penstock::simulation
