#include "controlplane/shell/confinement.hpp"

#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace penstock::controlplane {
namespace {

// Sockets and timers: the parsers of what strangers send need nothing at all.
std::vector<AllowedCall> own_calls() {
  return {
      {SYS_epoll_wait, "the loop waits"},
      {SYS_epoll_ctl, "the loop learns of sockets"},
      {SYS_timerfd_settime, "the loop's timers"},
      {SYS_socket, "to reach the data plane when it is back",
       ArgumentRule{.index = 0, .value = AF_UNIX}},
      {SYS_connect, "the same"},
      {SYS_accept4, "clients of the admin socket"},
      {SYS_getsockopt, "who such a client is"},
      {SYS_geteuid, "whether that is our own user"},
      {SYS_ioctl, "their sockets are not to block", ArgumentRule{.index = 1, .value = FIONBIO}},
      {SYS_recvfrom, "the data plane's messages"},
      {SYS_sendto, "messages to it, and orders to the clerk"},
      {SYS_recvmsg, "clients' questions, and the clerk's answers"},
      {SYS_sendmsg, "answers"},
      {SYS_shutdown, "a data plane that does not read is let go"},
      {SYS_unlink, "the admin socket goes at the end"},
  };
}

}  // namespace

Confinement confinement_of(const SiteConfig& config) {
  Confinement confinement{
      .capabilities = {{CAP_IPC_LOCK, "keys of new sessions are locked, whatever the limit"}},
      .paths = {{config.run_dir, AllowedPath::Access::remove_files, "the admin socket"}},
      .calls = everyday_calls(),
  };
  for (AllowedCall& call : own_calls()) confinement.calls.push_back(std::move(call));
  return confinement;
}

}  // namespace penstock::controlplane
