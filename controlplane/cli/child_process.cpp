#include "controlplane/cli/child_process.hpp"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace penstock::cli {
namespace {

constexpr int exec_failed = 127;  // as a shell says it

// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become(char* const* arguments, pid_t parent, int stop_signal,
                         const sigset_t& mask) {
  ::signal(stop_signal, SIG_DFL);  // the handler that we inherited would swallow it
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, stop_signal);
  if (::getppid() != parent) ::_exit(exec_failed);  // it died before the line above
  ::execv(arguments[0], arguments);
  ::_exit(exec_failed);
}

}  // namespace

std::string ChildExit::describe() const {
  if (!was_signalled) return fmt::format("exited with code {}", code);
  const char* const text = ::sigdescr_np(code);
  return fmt::format("was killed by signal {} ({})", code, text != nullptr ? text : "unknown");
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::spawn(asio::io_context& loop,
                                                          const std::vector<std::string>& arguments,
                                                          int stop_signal, OnExit on_exit) {
  std::vector<std::string> copies = arguments;
  std::vector<char*> pointers;
  for (std::string& argument : copies) pointers.push_back(argument.data());
  pointers.push_back(nullptr);

  const pid_t parent = ::getpid();
  sigset_t all;
  sigset_t mask;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &mask);
  const pid_t pid = ::fork();
  if (pid == 0) become(pointers.data(), parent, stop_signal, mask);
  const int fork_error = errno;
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  if (pid < 0) return fail_errno(fmt::format("cannot start {}", arguments.front()), fork_error);
  // By its number: glibc 2.36's <sys/pidfd.h> cannot be used from C++.
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail_errno("cannot watch a child process", error);
  }
  return std::unique_ptr<ChildProcess>{new ChildProcess{loop, pid, pidfd, std::move(on_exit)}};
}

ChildProcess::ChildProcess(asio::io_context& loop, pid_t pid, int pidfd, OnExit on_exit)
    : pid_(pid), ended_(loop, pidfd), on_exit_(std::move(on_exit)) {
  ended_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [this](const std::error_code& error) {
                      if (!error) reap();
                    });
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void ChildProcess::reap() {
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  const OnExit on_exit = std::move(on_exit_);  // outlives the object
  on_exit({.was_signalled = WIFSIGNALED(status),
           .code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)});
}

}  // namespace penstock::cli
