// A thread's connections, turn by turn: wait, note what happened, let each that can go on.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "penstock/base/clock.hpp"
#include "penstock/base/error.hpp"

#include "controlplane/handshake/entropy.hpp"
#include "controlplane/pipe/batch.hpp"
#include "controlplane/pipe/connection.hpp"
#include "controlplane/pipe/deadlines.hpp"
#include "controlplane/pipe/loop.hpp"
#include "controlplane/pipe/spare_entropy.hpp"

namespace penstock::controlplane::pipe {

class Reactor {
 public:
  using OnEnd = std::function<void(const Connection&)>;  // before it is destroyed

  // `settings` and `key` outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Reactor>> create(const Settings& settings,
                                                               const crypto::FileKey& key,
                                                               const EnginePlan& plan,
                                                               const SocketAddress& bind_from,
                                                               OnEnd on_end);

  void adopt(UniqueFd accepted, const SocketAddress& peer, Targets::List targets);
  void adopt_stdio(int input, int output, UniqueFd connected);

  // Waits until there is something to do, or wake(), and does it.
  void turn();
  void wake() const { loop_.wake(); }  // any thread
  [[nodiscard]] bool is_empty() const { return connections_.empty(); }

 private:
  Reactor(const Settings& settings, const crypto::FileKey& key, const SocketAddress& bind_from,
          Loop loop, PipeEngine engine, OnEnd on_end);
  void begin(std::unique_ptr<Connection> connection);
  void queue(Connection& connection);
  void run_queued(Time now);
  void bury(Connection& connection);

  Loop loop_;
  PipeEngine engine_;
  BatchPool batches_;
  Deadlines deadlines_;
  SystemEntropy system_entropy_;
  SpareEntropy entropy_{system_entropy_};
  OnEnd on_end_;
  Surroundings around_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> queued_;
  std::vector<Connection*> running_;  // those of this turn
};

}  // namespace penstock::controlplane::pipe
