// Keeps the two processes of a site running: starts them, starts one again that dies, and
// stops them in order, penstockd first.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include "penstock/base/clock.hpp"

#include "controlplane/cli/child_process.hpp"

namespace penstock::cli {

// The wait before the next start of a child that died again soon. One that refuses writes its
// reason each time and seldom changes its mind: it is asked ever more rarely, to once a minute.
[[nodiscard]] std::chrono::milliseconds next_backoff(std::chrono::milliseconds last,
                                                     bool has_refused);

class Supervisor {
 public:
  struct Program {
    std::string name;
    std::vector<std::string> arguments;  // the first is the path
    bool reads_config_again = false;     // on SIGHUP
  };
  // Started in this order, stopped in the reverse order.
  Supervisor(asio::io_context& loop, std::vector<Program> programs);

  // Returns when all children have ended: 0 after SIGINT or SIGTERM, exit_refused when a child
  // refused at its first start (it has said why). SIGHUP is passed on to those that read the
  // config again.
  [[nodiscard]] int run();

 private:
  struct Child {
    Child(asio::io_context& loop, Program what) : program(std::move(what)), restart(loop) {}
    Program program;
    std::unique_ptr<ChildProcess> process;  // null between a death and the restart
    asio::steady_timer restart;
    std::chrono::milliseconds backoff{0};
    Time started{};
    unsigned starts = 0;
  };

  void obey();
  void pass_on_hangup();
  void start(Child& child);
  void on_exit(Child& child, ChildExit exit);
  void start_later(Child& child, bool has_refused, const std::string& why);
  void stop_all(int exit_code);
  void stop_last();

  asio::io_context& loop_;
  asio::signal_set signals_;
  asio::steady_timer stop_patience_;
  std::vector<std::unique_ptr<Child>> children_;
  bool is_stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace penstock::cli
