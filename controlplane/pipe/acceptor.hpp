// The thread that accepts: each connection goes to the worker that has fewest, so that two busy
// ones are two threads' work. At the limit it accepts no more until one has ended; where the
// system has no descriptor or memory left it tries again a little later.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "penstock/base/log.hpp"

#include "controlplane/pipe/worker.hpp"

namespace penstock::controlplane::pipe {

class Acceptor {
 public:
  using Workers = std::vector<std::unique_ptr<Worker>>;

  // `workers` outlive it; `limit` 0 is none.
  Acceptor(UniqueFd listener, std::size_t limit, Workers& workers)
      : listener_(std::move(listener)), limit_(limit), workers_(workers) {}
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor();

  [[nodiscard]] Result<void> start();

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
  [[nodiscard]] bool is_full() const { return limit_ != 0 && living_ >= limit_; }

  UniqueFd listener_;
  std::size_t limit_;
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
