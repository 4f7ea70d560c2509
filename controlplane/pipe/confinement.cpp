#include "controlplane/pipe/confinement.hpp"

#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>

namespace penstock::controlplane::pipe {
namespace {

constexpr std::uint16_t first_free_port = 1024;

std::vector<AllowedCall> calls_for_threads() {
  return {
      {SYS_clone, "the loops' threads and the one for names: no processes",
       ArgumentRule{.index = 0, .value = CLONE_THREAD, .mask = CLONE_THREAD}},
      {SYS_clone3, "its arguments cannot be looked at: the library goes on with clone",
       std::nullopt, AllowedCall::Answer::absent},
      {SYS_set_robust_list, "the start of a thread"},
      {SYS_rseq, "the same"},
      {SYS_prctl, "a thread's name", ArgumentRule{.index = 0, .value = PR_SET_NAME}},
      {SYS_rt_sigtimedwait, "waiting for the order to stop"},
      {SYS_prlimit64, "as many open files as the limit allows, of this process",
       ArgumentRule{.index = 0, .value = 0}},
  };
}

std::vector<AllowedCall> calls_for_sockets() {
  return {
      {SYS_epoll_create1, "a thread's loop"},
      {SYS_epoll_wait, "it waits"},
      {SYS_epoll_pwait, "the same"},
      {SYS_epoll_pwait2, "the same"},
      {SYS_epoll_ctl, "it learns of sockets"},
      {SYS_eventfd2, "it is woken"},
      {SYS_poll, "the thread for names waits, and a pipe of standard input and output"},
      {SYS_accept4, "connections to the source"},
      {SYS_socket, "connections to the target"},
      {SYS_connect, "the same"},
      {SYS_bind, "the same, where -b says from where"},
      {SYS_setsockopt, "keep-alives, and no delay"},
      {SYS_getsockopt, "why a connection failed"},
      {SYS_getsockname, "whose it is, for the log"},
      {SYS_getpeername, "the same"},
      {SYS_readv, "many packets at once"},
      {SYS_writev, "the same"},
      {SYS_recvfrom, "the same"},
      {SYS_sendto, "the same, and lines for the system's log"},
      {SYS_recvmsg, "the same"},
      {SYS_sendmsg, "the same"},
      {SYS_shutdown, "one way of a connection ends"},
      {SYS_fcntl, "sockets are not to block"},
      {SYS_ioctl, "how much waits at a socket", ArgumentRule{.index = 1, .value = FIONREAD}},
      {SYS_wait4, "the end of the process for names"},
  };
}

std::uint16_t port_of(const SocketAddress& address) {
  if (address.family() == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address.storage, sizeof in);
    return ntohs(in.sin_port);
  }
  if (address.family() != AF_INET6) return 0;
  sockaddr_in6 in{};
  std::memcpy(&in, &address.storage, sizeof in);
  return ntohs(in.sin6_port);
}

}  // namespace

Confinement confinement_of(const Options& options, const SocketAddress& bind_from,
                           bool reaches_a_path) {
  Confinement confinement{
      .capabilities = {{CAP_IPC_LOCK, "keys of connections are locked, whatever the limit"}},
      .paths = {},
      .calls = everyday_calls(),
      .may_reach_abstract_sockets = false,
      .may_use_tcp = true,
  };
  const std::uint16_t port = port_of(bind_from);
  if (port > 0 && port < first_free_port)
    confinement.capabilities.push_back({CAP_NET_BIND_SERVICE, "-b names a port of root's"});
  // With -u the target is reached with that user's rights and no others.
  if (reaches_a_path && options.user.empty())
    confinement.capabilities.push_back({CAP_DAC_OVERRIDE, "the target's socket may be another's"});
  for (const auto& calls : {calls_for_threads(), calls_for_sockets()})
    confinement.calls.insert(confinement.calls.end(), calls.begin(), calls.end());
  return confinement;
}

}  // namespace penstock::controlplane::pipe
