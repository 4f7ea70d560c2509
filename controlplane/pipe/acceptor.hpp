// The thread that accepts: each connection goes to the worker that has fewest, so that two busy
// ones are two threads' work. At the limit it accepts no more until one has ended, and who connects
// waits in the socket's queue; where the system has no descriptor or memory left it tries again a
// little later.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "penstock/base/log.hpp"

#include "controlplane/pipe/worker.hpp"

namespace penstock::controlplane::pipe {

// Of living connections.
struct ConnectionLimit {
  std::size_t connections;  // 0: none
  std::string_view what;    // to change for more, say "-n"
};

class Acceptor {
 public:
  using Workers = std::vector<std::unique_ptr<Worker>>;

  // `workers` outlive it.
  Acceptor(UniqueFd listener, Workers& workers)
      : listener_(std::move(listener)), workers_(workers) {}
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor();

  [[nodiscard]] Result<void> start(ConnectionLimit limit);

  // --- any thread ------------------------------------------------------------------
  // Accepts no more, and tells the workers so. A signal handler may call it.
  void stop();
  void join();
  // A connection has ended.
  void count_end();
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t living() const { return living_; }

 private:
  void run();
  void wait_for_room();
  void wait_for_connection();
  void accept_some();
  void hand_out(Accepted accepted);
  void wait_out(int error);
  void wake() const;
  [[nodiscard]] bool is_full() const {
    return limit_.connections != 0 && living_ >= limit_.connections;
  }

  UniqueFd listener_;
  ConnectionLimit limit_{};
  Workers& workers_;
  UniqueFd wake_;
  std::atomic<std::uint64_t> accepted_ = 0;  // written by the thread
  std::atomic<std::uint64_t> living_ = 0;    // up by the thread, down by workers
  std::atomic<bool> is_waiting_for_room_ = false;
  std::atomic<bool> is_stopped_ = false;
  log::RateLimit full_log_{std::chrono::seconds{1}};
  log::RateLimit error_log_{std::chrono::seconds{1}};
  std::thread thread_;
};

}  // namespace penstock::controlplane::pipe
