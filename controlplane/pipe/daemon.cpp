#include "controlplane/pipe/daemon.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "penstock/base/log.hpp"

namespace penstock::controlplane::pipe {
namespace {

Result<void> write_pid(const std::string& file) {
  const UniqueFd fd{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  const std::string pid = std::to_string(::getpid());
  if (!fd || ::write(fd.get(), pid.data(), pid.size()) < 0)
    return fail_errno(fmt::format("cannot write the pid file {}", file), errno);
  return {};
}

// The file of a socket that nobody listens at any more.
bool is_stale(const SocketAddress& address) {
  if (address.family() != AF_UNIX) return false;
  struct stat found{};
  if (::lstat(to_string(address).c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  const UniqueFd probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  return probe && ::connect(probe.get(), address.get(), address.size) != 0 && errno == ECONNREFUSED;
}

// What to do where a source socket cannot be made.
std::string_view advice(int error, bool is_path) {
  switch (error) {
    case EADDRINUSE:
      return is_path ? "; remove the file if no process listens there any more"
                     : "; another process listens there (ss -ltnp names it)";
    case EADDRNOTAVAIL:
      return "; give this machine the address, or write [0.0.0.0] or [::] for all it has";
    case EACCES:
      return is_path ? "; this user must be able to write to its folder"
                     : "; ports below 1024 need root, or CAP_NET_BIND_SERVICE";
    default:
      return "";
  }
}

std::optional<unsigned> number_of(const std::string& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<gid_t> group_of(const std::string& name) {
  if (const group* const found = ::getgrnam(name.c_str())) return found->gr_gid;
  return number_of(name);
}

std::optional<uid_t> user_of(const std::string& name) {
  if (const passwd* const found = ::getpwnam(name.c_str())) return found->pw_uid;
  return number_of(name);
}

// What a process is told at its parent's death is forgotten when its user changes.
Result<void> become(std::optional<uid_t> user, std::optional<gid_t> group) {
  int at_parents_death = 0;
  ::prctl(PR_GET_PDEATHSIG, &at_parents_death);
  if (::setgroups(0, nullptr) != 0)
    log::warn("the groups that this process was started with stay: they need root to be given up");
  if (group && ::setgid(*group) != 0)
    return fail_errno(fmt::format("cannot become group {}", *group), errno);
  // Capabilities are for confine() to take: it needs one to take them for good.
  ::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0UL, 0UL, 0UL);
  if (user && ::setuid(*user) != 0)
    return fail_errno(fmt::format("cannot become user {}", *user), errno);
  ::prctl(PR_SET_PDEATHSIG, at_parents_death);
  return {};
}

}  // namespace

Result<Readiness> Readiness::go_to_background() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot go to the background", errno);
  UniqueFd from{ends[0]};
  UniqueFd to{ends[1]};
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("cannot go to the background", errno);
  if (child != 0) {
    to.reset();
    char ready = 0;
    ssize_t got = 0;
    do {
      got = ::read(from.get(), &ready, 1);
    } while (got < 0 && errno == EINTR);
    ::_exit(got == 1 ? 0 : 1);  // it has said why
  }
  ::setsid();
  return Readiness{std::move(to)};
}

Result<void> Readiness::tell(const std::string& pid_file) {
  if (!parent_) return {};
  if (auto written = write_pid(pid_file); !written) return written;
  const char ready = 0;
  if (::write(parent_.get(), &ready, 1) < 0)
    return fail_errno("the process that started this one has ended", errno);
  parent_.reset();
  return {};
}

Result<UniqueFd> listen_at(const SocketAddress& source, bool replaces_stale) {
  const auto refuse = [&] {
    const int error = errno;
    auto refused =
        fail_errno(fmt::format("cannot take connections at {}", to_string(source)), error);
    refused.error().message += advice(error, source.family() == AF_UNIX);
    return refused;
  };
  UniqueFd listener{::socket(source.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  constexpr int yes = 1;
  if (!listener || ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
    return refuse();
  int bound = ::bind(listener.get(), source.get(), source.size);
  if (bound != 0 && errno == EADDRINUSE && source.family() == AF_UNIX && replaces_stale) {
    if (is_stale(source)) ::unlink(to_string(source).c_str());
    bound = ::bind(listener.get(), source.get(), source.size);
  }
  if (bound != 0 || ::listen(listener.get(), SOMAXCONN) != 0) return refuse();
  return listener;
}

Result<void> change_user(const std::string& wanted) {
  const std::size_t colon = wanted.find(':');
  const std::string user = wanted.substr(0, colon);
  const std::string group = colon == wanted.npos ? "" : wanted.substr(colon + 1);
  if (user.empty() && group.empty())
    return fail(ErrorKind::config, "-u wants a user, a :group or user:group");
  if (colon != wanted.npos && group.empty())
    return fail(ErrorKind::config, fmt::format("-u {} lacks a group behind its colon", wanted));
  const auto gid = group.empty() ? std::nullopt : group_of(group);
  if (!group.empty() && !gid)
    return fail(ErrorKind::missing, fmt::format("there is no group {}", group));
  const auto uid = user.empty() ? std::nullopt : user_of(user);
  if (!user.empty() && !uid)
    return fail(ErrorKind::missing, fmt::format("there is no user {}", user));
  return become(uid, gid);
}

}  // namespace penstock::controlplane::pipe
