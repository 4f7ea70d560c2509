// A child process that dies with us, and whose end the event loop hears of.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "penstock/base/error.hpp"

namespace penstock::cli {

struct ChildExit {
  bool was_signalled = false;
  int code = 0;  // or the signal's number
  // "exited with code 1", "was killed by signal 9 (Killed)"
  [[nodiscard]] std::string describe() const;
};

class ChildProcess {
 public:
  using OnExit = std::function<void(ChildExit)>;

  // Runs arguments[0] in a process group of its own, so that a Ctrl-C reaches us alone and we
  // decide who stops when; at our death it gets `stop_signal`. `on_exit` is called once, from the
  // loop; it may destroy the object.
  [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> spawn(
      asio::io_context& loop, const std::vector<std::string>& arguments, int stop_signal,
      OnExit on_exit);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // Kills and reaps what still runs.
  ~ChildProcess();

  void signal(int number) const;

 private:
  ChildProcess(asio::io_context& loop, pid_t pid, int pidfd, OnExit on_exit);
  void reap();

  pid_t pid_;  // -1 when it was reaped
  asio::posix::stream_descriptor ended_;
  OnExit on_exit_;
};

}  // namespace penstock::cli
