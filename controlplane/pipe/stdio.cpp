#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include "controlplane/pipe/reactor.hpp"
#include "controlplane/pipe/server.hpp"

namespace penstock::controlplane::pipe {
namespace {

// Makes a descriptor non-blocking, and at its end what it was: others may share it.
class NonBlocking {
 public:
  explicit NonBlocking(int fd) : fd_(fd), flags_(::fcntl(fd, F_GETFL)) {
    if (flags_ >= 0) ::fcntl(fd_, F_SETFL, flags_ | O_NONBLOCK);
  }
  NonBlocking(const NonBlocking&) = delete;
  NonBlocking& operator=(const NonBlocking&) = delete;
  ~NonBlocking() {
    if (flags_ >= 0) ::fcntl(fd_, F_SETFL, flags_);
  }

 private:
  int fd_;
  int flags_;
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
  const NonBlocking input{STDIN_FILENO};
  const NonBlocking output{STDOUT_FILENO};
  ::fcntl(connected.get(), F_SETFL, O_NONBLOCK);
  (*reactor)->adopt_stdio(STDIN_FILENO, STDOUT_FILENO, std::move(connected));
  while (!end) (*reactor)->turn();
  if (*end == End::finished && error != 0)
    return fail_errno("standard input or output broke", error);
  return *end;
}

}  // namespace penstock::controlplane::pipe
