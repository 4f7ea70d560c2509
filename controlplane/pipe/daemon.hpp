// What makes a process of the command line a service: the background, the pid file, the source
// socket, another user.
#pragma once

#include <string>

#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"

#include "controlplane/pipe/targets.hpp"

namespace penstock::controlplane::pipe {

// The parent of a daemon waits until the child says that it is ready, and ends with code 0 then;
// with 1 where the child ends before.
class Readiness {
 public:
  // Forks, before there is a secret or a thread. Returns in the child, which leads a session of
  // its own; the parent ends here.
  [[nodiscard]] static Result<Readiness> go_to_background();
  // Not in the background: nobody waits, and there is no pid file.
  [[nodiscard]] static Readiness nobody_waits() { return Readiness{UniqueFd{}}; }

  // Writes the pid file and lets the parent end; once.
  [[nodiscard]] Result<void> tell(const std::string& pid_file);

 private:
  explicit Readiness(UniqueFd parent) : parent_(std::move(parent)) {}
  UniqueFd parent_;
};

// A socket that listens, non-blocking. An address in use is a refusal; with `replaces_stale` a
// Unix socket's file that nobody listens at is replaced.
[[nodiscard]] Result<UniqueFd> listen_at(const SocketAddress& source, bool replaces_stale);

// "user", ":group", "user:group", each a name or a number: gives up all other groups, and becomes
// them; capabilities stay, for confine() to take. A group that is not named stays too.
[[nodiscard]] Result<void> change_user(const std::string& wanted);

}  // namespace penstock::controlplane::pipe
