// Keeps the processes of a site running: starts them, starts one again that dies, and stops
// them in order, the last one first.
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include "penstock/base/clock.hpp"
#include "penstock/base/error.hpp"

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
    bool is_pipe = false;                // may come, go and change on SIGHUP
    int stop_signal = SIGTERM;
    int refusal = exit_refused;  // the exit code of one that will not start as things are
  };
  // Started in this order, stopped in the reverse order.
  Supervisor(asio::io_context& loop, std::vector<Program> programs);

  // What a hangup makes of the pipes: `read` gives those that there are to be now, or nothing where
  // that cannot be told (it has said why) and all stay as they are.
  using ReadPipes = std::function<std::optional<std::vector<Program>>()>;
  void read_pipes_again(ReadPipes read) { read_pipes_ = std::move(read); }

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
    bool may_end_all = true;  // by refusing at its first start
    bool is_leaving = false;  // is not to be started again
    bool is_changed = false;  // is to be started again at once
  };

  void obey();
  void pass_on_hangup();
  void change_pipes(std::vector<Program> wanted);
  void let_go(Child& child);
  void change(Child& child, Program program);
  void forget(const Child& child);
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
  ReadPipes read_pipes_;
};

}  // namespace penstock::cli
