#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include "controlplane/pipe/reactor.hpp"
#include "controlplane/pipe/server.hpp"

namespace penstock::controlplane::pipe {
namespace {

// Standard input and output do not block while it lives. Others may share them, as a shell shares
// its terminal, so they are put back to what they were: at its end, where the process is told to
// end before, and while it is told to stop.
class NonBlockingStdio {
 public:
  NonBlockingStdio() {
    // Both are asked before either is changed: they may be one.
    for (Stream& stream : streams) stream.flags = ::fcntl(stream.fd, F_GETFL);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) handle(number, &end);
    for (const int number : {SIGTSTP, SIGTTIN, SIGTTOU}) handle(number, &stop);
    handle(SIGCONT, &go_on);
    set(O_NONBLOCK);
  }
  NonBlockingStdio(const NonBlockingStdio&) = delete;
  NonBlockingStdio& operator=(const NonBlockingStdio&) = delete;
  ~NonBlockingStdio() { set(0); }

 private:
  struct Stream {
    int fd;
    int flags;  // as they were; -1: it is not open
  };
  // Where a signal handler finds them; written before there is one.
  static inline std::array streams{Stream{STDIN_FILENO, -1}, Stream{STDOUT_FILENO, -1}};
  static inline volatile std::sig_atomic_t added = 0;  // to those flags

  static void set(int more) {
    added = more;
    apply();
  }
  static void apply() {
    for (const Stream& stream : streams)
      if (stream.flags >= 0) ::fcntl(stream.fd, F_SETFL, stream.flags | added);
  }

  // Once, and then the default again. What was ignored stays so.
  static void handle(int number, void (*handler)(int)) {
    struct sigaction action{};
    if (::sigaction(number, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return;
    action.sa_handler = handler;
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_NODEFER;
    ::sigaction(number, &action, nullptr);
  }

  static void end(int number) {
    set(0);
    ::raise(number);
    ::_exit(128 + number);  // a container's first process, which has no default for signals
  }

  static void stop(int number) {
    const int error = errno;
    const int before = added;
    set(0);
    ::raise(number);  // comes back when it goes on, or was not to stop
    handle(number, &stop);
    set(before);
    errno = error;
  }

  // Of a stop that nobody is told of (SIGSTOP): who had the terminal meanwhile may have it block.
  static void go_on(int number) {
    const int error = errno;
    handle(number, &go_on);
    apply();
    errno = error;
  }
};

}  // namespace

Result<End> run_stdio(const Settings& settings, UniqueFd connected, const crypto::FileKey& key,
                      const EnginePlan& plan) {
  std::signal(SIGPIPE, SIG_IGN);
  std::optional<End> end;
  int error = 0;
  auto reactor = Reactor::create(settings, key, plan, {}, [&](const Connection& connection) {
    end = connection.end();
    error = connection.error();
  });
  if (!reactor) return std::unexpected{std::move(reactor.error())};
  const NonBlockingStdio stdio;
  ::fcntl(connected.get(), F_SETFL, O_NONBLOCK);
  (*reactor)->adopt_stdio(STDIN_FILENO, STDOUT_FILENO, std::move(connected));
  while (!end) (*reactor)->turn();
  if (*end == End::finished && error != 0)
    return fail_errno("standard input or output broke", error);
  return *end;
}

}  // namespace penstock::controlplane::pipe
