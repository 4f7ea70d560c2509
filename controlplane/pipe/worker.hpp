// A thread of the pipe and its share of the connections.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "controlplane/pipe/reactor.hpp"

namespace penstock::controlplane::pipe {

struct Accepted {
  UniqueFd socket;
  SocketAddress peer;
};

class Worker {
 public:
  // What is given outlives it. `on_end` is called in its thread.
  Worker(const Settings& settings, const crypto::FileKey& key, const Targets& targets,
         Reactor::OnEnd on_end)
      : settings_(settings), key_(key), targets_(targets), on_end_(std::move(on_end)) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();  // ends the connections that live, and the thread

  // Starts the thread.
  [[nodiscard]] Result<void> start(const EnginePlan& plan, const SocketAddress& bind_from);

  // --- any thread, after start ---------------------------------------------------
  void take(Accepted accepted);
  // How many connections it was given that have not ended.
  [[nodiscard]] std::size_t load() const { return load_.load(std::memory_order_relaxed); }
  // No more will be given: it ends with its last connection.
  void close();
  void join();

 private:
  void run();
  [[nodiscard]] bool take_new();

  const Settings& settings_;
  const crypto::FileKey& key_;
  const Targets& targets_;
  Reactor::OnEnd on_end_;
  std::unique_ptr<Reactor> reactor_;
  std::atomic<std::size_t> load_ = 0;  // counted up by who gives, down by the thread
  std::atomic<bool> is_abandoned_ = false;

  std::mutex mutex_;
  std::vector<Accepted> given_;
  bool is_closed_ = false;

  std::thread thread_;
};

}  // namespace penstock::controlplane::pipe
