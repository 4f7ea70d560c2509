#include "explore.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

namespace penstock::simulation {
namespace {

using namespace std::chrono_literals;

// As in the simulation: from the last fault to a session that both send on.
constexpr Time recovery_bound = 120s;
constexpr unsigned most_fair_steps = 20'000;

class Explorer {
 public:
  Explorer(const ModelSetup& setup, const Bounds& bounds) : setup_(setup), bounds_(bounds) {}

  Exploration run() {
    try {
      visit(std::make_unique<ModelWorld>(setup_), bounds_.faults, bounds_.rekeys);
    } catch (const Failure& failure) {
      found_.failure = failure;
      for (const Choice& choice : path_) found_.choices += choice.text() + "; ";
    }
    found_.states = seen_.size();
    return found_;
  }

 private:
  void visit(std::unique_ptr<ModelWorld> world, unsigned faults, unsigned rekeys) {
    const auto depth = static_cast<unsigned>(path_.size());
    found_.deepest = std::max(found_.deepest, depth);
    if (!is_new(*world, faults, rekeys, bounds_.depth - depth)) return;
    // Without a fault or a command to come, what is free to happen commutes: one run says all.
    if (depth == bounds_.depth || (faults == 0 && rekeys == 0)) return run_fair(*world);
    const std::vector<Choice> moves = moves_of(*world, faults, rekeys);
    for (std::size_t i = 0; i < moves.size(); ++i) {
      const bool is_last = i + 1 == moves.size();
      std::unique_ptr<ModelWorld> next = is_last ? std::move(world) : remake();
      path_.push_back(moves[i]);
      next->apply(moves[i]);
      ++found_.transitions;
      visit(std::move(next), faults - (moves[i].is_fault() ? 1 : 0),
            rekeys - (moves[i].kind == Choice::Kind::rekey ? 1 : 0));
      path_.pop_back();
    }
  }

  [[nodiscard]] static std::vector<Choice> moves_of(const ModelWorld& world, unsigned faults,
                                                    unsigned rekeys) {
    std::vector<Choice> moves;
    if (faults > 0) moves = world.faults();
    if (rekeys > 0)
      for (std::uint8_t site = 0; site < 2; ++site)
        moves.push_back({.kind = Choice::Kind::rekey, .site = site});
    // The free ones last: they go on in the world that is at hand.
    for (const Choice& choice : world.free_choices()) moves.push_back(choice);
    return moves;
  }

  [[nodiscard]] std::unique_ptr<ModelWorld> remake() const {
    auto world = std::make_unique<ModelWorld>(setup_);
    for (const Choice& choice : path_) world->apply(choice);
    return world;
  }

  [[nodiscard]] bool is_new(const ModelWorld& world, unsigned faults, unsigned rekeys,
                            unsigned left) {
    const std::uint64_t key = world.fingerprint() * 64 + faults * 8 + rekeys;
    const auto [found, is_first] = seen_.emplace(key, left);
    if (is_first) return true;
    if (found->second >= left) return false;
    found->second = left;
    return true;
  }

  // No more faults: everything arrives in order, and time goes on where nothing is under way.
  void run_fair(ModelWorld& world) {
    ++found_.fair_runs;
    const Time start = world.now();
    settle(world);
    found_.longest_recovery = std::max(found_.longest_recovery, world.now() - start);
    // Nothing that is left over stops the next rekey.
    world.apply(
        {.kind = Choice::Kind::rekey, .site = static_cast<std::uint8_t>(found_.fair_runs % 2)});
    settle(world);
  }

  void settle(ModelWorld& world) {
    const Time end = world.now() + recovery_bound;
    for (unsigned step = 0; !world.is_settled(); ++step) {
      if (world.now() > end || step == most_fair_steps)
        throw Failure{"never stuck", "no common session although nothing more went wrong"};
      world.apply(world.free_choices().front());
    }
  }

  ModelSetup setup_;
  Bounds bounds_;
  std::vector<Choice> path_;
  std::unordered_map<std::uint64_t, unsigned> seen_;  // and the depth that was left
  Exploration found_;
};

}  // namespace

Exploration explore(const ModelSetup& setup, const Bounds& bounds) {
  return Explorer{setup, bounds}.run();
}

}  // namespace penstock::simulation
