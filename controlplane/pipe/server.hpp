// Moves bytes: accepts connections from the source socket and makes a pipe of each, on some
// threads of which each has its own epoll loop, engine, buffers and connections.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "penstock/base/unique_fd.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "penstock/crypto/key_schedule.hpp"

#include "controlplane/pipe/ends.hpp"
#include "controlplane/pipe/settings.hpp"
#include "controlplane/pipe/targets.hpp"

namespace penstock::controlplane::pipe {

class Server {
 public:
  // `listener` listens, non-blocking; `key` and `targets` outlive the server. `bind_from` is
  // the address that connections to the target come from, where it has a size.
  Server(const Settings& settings, UniqueFd listener, const crypto::FileKey& key,
         const Targets& targets, const EnginePlan& plan, const SocketAddress& bind_from);
  ~Server();  // ends the connections that live

  // Raises the limit on open files as far as it goes, has SIGPIPE ignored, starts the threads
  // and returns; they run until there is nothing left to do after stop(). Confine the process
  // before: nothing is opened later but sockets. System calls that are needed from here on:
  //   start      prlimit64, rt_sigaction, sched_getaffinity, epoll_create1, eventfd2, clone3,
  //              set_robust_list, rseq
  //   accept     poll, accept4
  //   connect    socket, bind, connect, poll, getsockopt, setsockopt
  //   move       epoll_ctl, epoll_wait, read, readv, write, writev, shutdown, close
  //   handshake  getrandom
  //   all        futex, clock_gettime, brk, mmap, munmap, mprotect, madvise, mlock,
  //              rt_sigprocmask, exit, exit_group, and write for the log
  [[nodiscard]] Result<void> start();
  // No new connections; those that live end by themselves (spiped's SIGTERM). Any thread, after
  // start; a signal handler too.
  void stop();
  // Waits until stop() was called and the last connection has ended.
  void join();

  struct Counts {
    std::uint64_t accepted;
    std::uint64_t living;
    std::array<std::uint64_t, end_count> ends;
  };
  [[nodiscard]] Counts counts() const;  // any thread

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One pipe between this process's standard input and output and a connected socket: spipe.
// Blocks until both ways are closed or broken, and fails where input or output broke (a full
// disk); output that is no socket is told of its end by the end of the process, as spipe's is.
// Until then all three are non-blocking. `connected` is a stream socket to the far side. Needs
// fcntl besides what Server::start lists. Why it ended is for the caller to say: nothing is logged.
[[nodiscard]] Result<End> run_stdio(const Settings& settings, UniqueFd connected,
                                    const crypto::FileKey& key, const EnginePlan& plan);

}  // namespace penstock::controlplane::pipe
