#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <csignal>
#include <vector>

#include "controlplane/shell/clerk/service.hpp"

namespace penstock::controlplane::clerk {
namespace {

std::vector<AllowedCall> calls_for_files() {
  return {
      {SYS_openat, "the config, keys, what is retired, the audit log; what names are asked by"},
      {SYS_newfstatat, "whose a file is, and who may read it"},
      {SYS_geteuid, "the same"},
      {SYS_lseek, "the library reads files by it"},
      {SYS_getdents64, "counting the machine's processors, for a config that names some"},
      {SYS_fsync, "what is retired is on disk before that is said"},
      {SYS_rename, "what is retired is replaced as a whole"},
      {SYS_unlink, "a file that a clerk before this one did not finish"},
      {SYS_recvfrom, "orders"},
      {SYS_sendto, "answers"},
      {SYS_sendmsg, "the audit log's descriptor"},
  };
}

// A lookup is a child of the clerk's and has no list of its own.
std::vector<AllowedCall> calls_for_names() {
  constexpr auto option = [](std::uint64_t number) {
    return ArgumentRule{.index = 0, .value = number};
  };
  constexpr std::uint64_t fork = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
  return {
      {SYS_pipe2, "a lookup says what it found"},
      {SYS_clone, "a lookup is a process of its own", ArgumentRule{.index = 0, .value = fork}},
      {SYS_set_robust_list, "the start of a process"},
      {SYS_landlock_create_ruleset, "a lookup gives up the clerk's files"},
      {SYS_landlock_add_rule, "the same"},
      {SYS_landlock_restrict_self, "the same"},
      {SYS_prctl, "before that", option(PR_SET_NO_NEW_PRIVS)},
      {SYS_prctl, "a lookup gives up the clerk's capabilities", option(PR_CAPBSET_DROP)},
      {SYS_capget, "the same"},
      {SYS_capset, "the same"},
      {SYS_wait4, "the end of a lookup"},
      {SYS_alarm, "the bound of a lookup"},
      {SYS_mmap, "modules that /etc/nsswitch.conf names are loaded"},
      {SYS_mprotect, "the same"},
      {SYS_pread64, "the same"},
      {SYS_socket, "asking name servers, local services, and the kernel for our addresses"},
      {SYS_connect, "the same"},
      {SYS_bind, "the same"},
      {SYS_getsockname, "the same"},
      {SYS_getpeername, "the same"},
      {SYS_setsockopt, "the same"},
      {SYS_getsockopt, "the same"},
      {SYS_sendmmsg, "the same"},
      {SYS_recvmsg, "the same"},
      {SYS_poll, "waiting for them"},
      {SYS_ppoll, "the same"},
      {SYS_ioctl, "how long an answer is"},
      {SYS_fcntl, "sockets are not to block"},
      {SYS_uname, "names without a domain get this machine's"},
      {SYS_readlink, "/etc/resolv.conf may be a link"},
      {SYS_access, "the library looks for its files"},
      {SYS_getuid, "modules ask who they serve"},
      {SYS_getgid, "the same"},
      {SYS_getegid, "the same"},
  };
}

}  // namespace

Confinement confinement_of(const SiteConfig& config) {
  using enum AllowedPath::Access;
  Confinement confinement{
      .capabilities = {{CAP_IPC_LOCK, "keys are locked while they are read, whatever the limit"},
                       {CAP_DAC_READ_SEARCH, "the config may stand in somebody's directory"}},
      .paths = {{"/", read, "a config names the files of its keys, and may change"},
                {config.state_dir, replace_files, "which keys are retired"}},
      .calls = everyday_calls(),
      .may_reach_abstract_sockets = true,  // services that know names
  };
  if (config.audit_log)
    confinement.paths.push_back({config.audit_log->parent_path(), append_files, "the audit log"});
  // The everyday list refuses to open files, and code that is not ours; here it is needed.
  std::erase_if(confinement.calls, [](const AllowedCall& call) {
    return call.number == SYS_openat || call.number == SYS_mmap || call.number == SYS_mprotect;
  });
  for (const auto& calls : {calls_for_files(), calls_for_names()})
    confinement.calls.insert(confinement.calls.end(), calls.begin(), calls.end());
  return confinement;
}

}  // namespace penstock::controlplane::clerk
