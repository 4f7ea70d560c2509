#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include "controlplane/pipe/reactor.hpp"
#include "controlplane/pipe/server.hpp"

namespace penstock::controlplane::pipe {
namespace {

// Standard input and output do not block while it lives. Others may share them, as a shell shares
// its terminal, so they are put back to what they were: at its end, and where the process is told
// to end before.
class NonBlockingStdio {
 public:
  NonBlockingStdio() {
    // Both are asked before either is changed: they may be one.
    for (Stream& stream : streams) stream.flags = ::fcntl(stream.fd, F_GETFL);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) end_orderly_on(number);
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

  static void set(int more) {
    for (const Stream& stream : streams)
      if (stream.flags >= 0) ::fcntl(stream.fd, F_SETFL, stream.flags | more);
  }

  // What was ignored stays so.
  static void end_orderly_on(int number) {
    struct sigaction action{};
    if (::sigaction(number, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return;
    action.sa_handler = [](int received) {
      set(0);
      ::raise(received);
      ::_exit(128 + received);  // a container's first process, which has no default for signals
    };
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_NODEFER;
    ::sigaction(number, &action, nullptr);
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
