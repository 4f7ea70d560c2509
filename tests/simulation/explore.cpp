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
constexpr Time recovery_bound = 60s;
constexpr unsigned most_fair_steps = 20'000;

class Explorer {
 public:
  Explorer(const ModelSetup& setup, const Bounds& bounds) : setup_(setup), bounds_(bounds) {}

  Exploration retrace(const std::vector<Choice>& choices) {
    path_ = choices;
    retell();
    return found_;
  }

  Exploration run() {
    try {
      visit(std::make_unique<ModelWorld>(setup_), bounds_.faults, bounds_.rekeys);
    } catch (const Failure&) {
      retell();
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
    step(world, {.kind = Choice::Kind::rekey, .site = static_cast<std::uint8_t>(path_.size() % 2)});
    settle(world);
  }

  // The path to the failure once more, in words.
  void retell() {
    ModelWorld world{setup_};
    is_told_ = true;
    try {
      for (const Choice& choice : path_) step(world, choice);
      run_fair(world);
    } catch (const Failure& failure) {
      found_.failure = failure;
    }
  }

  void step(ModelWorld& world, const Choice& choice) {
    world.apply(choice);
    if (is_told_) found_.choices += fmt::format("  {:22} {}\n", choice.text(), world.text());
  }

  void settle(ModelWorld& world) {
    const Time end = world.now() + recovery_bound;
    for (unsigned steps = 0; !world.is_settled(); ++steps) {
      if (world.now() > end || steps == most_fair_steps)
        throw Failure{"never stuck", "no common session although nothing more went wrong"};
      step(world, world.free_choices().front());
    }
  }

  ModelSetup setup_;
  Bounds bounds_;
  std::vector<Choice> path_;
  std::unordered_map<std::uint64_t, unsigned> seen_;  // and the depth that was left
  Exploration found_;
  bool is_told_ = false;
};

}  // namespace

Exploration retrace(const ModelSetup& setup, const std::vector<Choice>& choices) {
  return Explorer{setup, {}}.retrace(choices);
}

Exploration explore(const ModelSetup& setup, const Bounds& bounds) {
  return Explorer{setup, bounds}.run();
}

}  // namespace penstock::simulation
