#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <csignal>
#include <string_view>

#include "controlplane/names/lookup.hpp"

namespace penstock::controlplane::names {
namespace {

// Only glibc speaks to name servers itself, and it knows no other port.
std::vector<AllowedPort> ports_for_names() {
  return {{.number = 53, .reason = "answers that do not fit a datagram"}};
}

// A lookup is a child of who asks and has no list of its own.
std::vector<AllowedCall> calls_for_names() {
  constexpr auto option = [](std::uint64_t number) {
    return ArgumentRule{.index = 0, .value = number};
  };
  // Landlock sees no connection of Multipath TCP, the protocol with the one number that takes more
  // than a byte.
  constexpr ArgumentRule not_multipath{.index = 2, .value = 0, .mask = 0xffff'ff00};
  constexpr std::uint64_t fork = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
  return {
      {SYS_openat, "what names are asked by"},
      {SYS_newfstatat, "the same"},
      {SYS_lseek, "the library reads files by it"},
      {SYS_pipe2, "a lookup says what it found"},
      {SYS_clone, "a lookup is a process of its own", ArgumentRule{.index = 0, .value = fork}},
      {SYS_set_robust_list, "the start of a process"},
      {SYS_landlock_create_ruleset, "a lookup gives up what its parent may touch"},
      {SYS_landlock_add_rule, "the same"},
      {SYS_landlock_restrict_self, "the same"},
      {SYS_prctl, "before that", option(PR_SET_NO_NEW_PRIVS)},
      {SYS_prctl, "a lookup gives up its parent's capabilities", option(PR_CAPBSET_DROP)},
      {SYS_capget, "the same"},
      {SYS_capset, "the same"},
      {SYS_wait4, "the end of a lookup"},
      {SYS_alarm, "the bound of a lookup"},
      {SYS_mmap, "modules that /etc/nsswitch.conf names are loaded"},
      {SYS_mprotect, "the same"},
      {SYS_pread64, "the same"},
      {SYS_socket, "asking name servers, local services, and the kernel for our addresses",
       not_multipath},
      {SYS_connect, "the same"},
      {SYS_bind, "the same"},
      {SYS_getsockname, "the same"},
      {SYS_getpeername, "the same"},
      {SYS_setsockopt, "the same"},
      {SYS_getsockopt, "the same"},
      {SYS_sendmmsg, "the same", no_fast_open(3)},
      {SYS_writev, "the same, by TCP: what does not fit a datagram"},
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

// Files one by one, where a folder may hold keys as well. One that is a link gives what it names.
std::vector<AllowedPath> paths_for_names() {
  constexpr std::array<std::string_view, 23> readable{
      "/etc/nsswitch.conf",
      "/etc/resolv.conf",
      "/etc/hosts",
      "/etc/host.conf",
      "/etc/gai.conf",
      "/etc/services",
      "/etc/protocols",
      "/etc/networks",
      "/etc/hostname",
      "/etc/machine-id",
      "/etc/mdns.allow",
      "/etc/ld.so.cache",
      "/etc/ld.so.preload",
      "/usr",
      "/lib",
      "/lib32",
      "/lib64",
      "/nix/store",
      "/run/nscd",
      "/var/run/nscd",
      "/var/cache/nscd",
      "/run/systemd/resolve",
      "/var/lib/extrausers",
  };
  std::vector<AllowedPath> paths;
  for (const std::string_view path : readable)
    paths.push_back({path, AllowedPath::Access::read, "names are asked by it"});
  return paths;
}

Result<void> keep_to_names() {
  return confine_child({.capabilities = {},
                        .paths = paths_for_names(),
                        .calls = {},
                        .may_reach_abstract_sockets = true,
                        .may_use_tcp = false,
                        .ports = ports_for_names()});
}

ArgumentRule no_fast_open(unsigned flags) {
  return {.index = flags, .value = 0, .mask = MSG_FASTOPEN};
}

void allow_names(Confinement& confinement) {
  // The everyday list refuses to open files, and code that is not ours; here it is needed.
  std::erase_if(confinement.calls, [](const AllowedCall& call) {
    return call.number == SYS_openat || call.number == SYS_mmap || call.number == SYS_mprotect;
  });
  const auto calls = calls_for_names();
  confinement.calls.insert(confinement.calls.end(), calls.begin(), calls.end());
  confinement.ports = ports_for_names();
}

}  // namespace penstock::controlplane::names
