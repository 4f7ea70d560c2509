#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <type_traits>
#include <utility>

#include "confine_parts.hpp"

namespace penstock {
namespace confinement {
namespace {

// Killing the process, and slowing nothing down: Linux 4.17. The library asks the kernel.
constexpr unsigned api_with_all_of_it = 4;

using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, decltype(&seccomp_release)>;

std::uint32_t action_of(AllowedCall::Answer answer) {
  switch (answer) {
    case AllowedCall::Answer::allow:
      return SCMP_ACT_ALLOW;
    case AllowedCall::Answer::absent:
      return SCMP_ACT_ERRNO(ENOSYS);
    case AllowedCall::Answer::refuse:
      break;
  }
  return SCMP_ACT_ERRNO(EACCES);
}

// 0, or an error number below zero, as the library has it.
int set_up(const Filter& filter) {
  using Attribute = std::pair<scmp_filter_attr, std::uint32_t>;
  constexpr std::array<Attribute, 6> attributes{{
      {SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},  // 32-bit calls have other numbers
      {SCMP_FLTATR_API_SYSRAWRC, 1},                     // the kernel's own error numbers
      {SCMP_FLTATR_CTL_NNP, 1},
      {SCMP_FLTATR_CTL_TSYNC, 1},
      // Nobody else's code runs in here. Without this, kernels before 5.16 would slow all of it.
      {SCMP_FLTATR_CTL_SSB, 1},
      {SCMP_FLTATR_CTL_OPTIMIZE, 2},  // the number is found by halving, not line by line
  }};
  for (const auto& [attribute, value] : attributes)
    if (const int error = seccomp_attr_set(filter.get(), attribute, value); error != 0)
      return error;
  return 0;
}

int add(const Filter& filter, const AllowedCall& call) {
  const std::uint32_t action = action_of(call.answer);
  if (!call.only_if) return seccomp_rule_add_exact(filter.get(), action, call.number, 0);
  const scmp_arg_cmp condition{.arg = call.only_if->index,
                               .op = SCMP_CMP_MASKED_EQ,
                               .datum_a = call.only_if->mask,
                               .datum_b = call.only_if->value};
  return seccomp_rule_add_exact_array(filter.get(), action, call.number, 1, &condition);
}

}  // namespace

Result<Enforced> limit_calls(std::span<const AllowedCall> calls) {
  if (seccomp_api_get() < api_with_all_of_it) return Enforced::no;
  const Filter filter{seccomp_init(SCMP_ACT_KILL_PROCESS), seccomp_release};
  if (!filter) return fail(ErrorKind::system, "no memory for the list of system calls");
  int error = set_up(filter);
  for (std::size_t line = 0; error == 0 && line < calls.size(); ++line)
    error = add(filter, calls[line]);
  if (error != 0) return fail_errno("cannot write the list of system calls", -error);
  error = seccomp_load(filter.get());
  if (error != 0) return fail_errno("cannot limit the system calls of this process", -error);
  return Enforced::yes;
}

}  // namespace confinement

std::vector<AllowedCall> everyday_calls() {
  constexpr auto not_executable = [](unsigned protection_argument) {
    return ArgumentRule{.index = protection_argument, .value = 0, .mask = PROT_EXEC};
  };
  const ArgumentRule ourselves{.index = 0, .value = static_cast<std::uint32_t>(getpid())};
  return {
      {SYS_read, "sockets, and the descriptors that wake"},
      {SYS_write, "the log, and the descriptors that wake"},
      {SYS_close, "sockets that have ended"},
      {SYS_brk, "the allocator"},
      {SYS_mmap, "the allocator; memory for secrets", not_executable(2)},
      {SYS_munmap, "the allocator; memory for secrets"},
      {SYS_mremap, "the allocator, of large blocks"},
      {SYS_mprotect, "the allocator, of a thread's own heap", not_executable(2)},
      {SYS_madvise, "the allocator; secrets stay out of core files and children"},
      {SYS_mlock, "secrets stay out of swap"},
      {SYS_sched_getaffinity, "the allocator counts CPUs for the heaps of threads"},
      {SYS_openat,
       "the allocator looks up the kernel's memory policy, OpenSSL /dev/urandom",
       {},
       AllowedCall::Answer::refuse},
      {SYS_futex, "locks, the log's and the allocator's"},
      {SYS_getrandom, "randomness"},
      {SYS_clock_gettime, "clocks that need the kernel, where the CPU's counter will not do"},
      {SYS_gettimeofday, "the same, by older calls"},
      {SYS_time, "the same"},
      {SYS_clock_nanosleep, "sleeping"},
      {SYS_restart_syscall, "sleeping on after a stop and a SIGCONT"},
      {SYS_sched_yield, "waiting for another thread"},
      {SYS_rt_sigreturn, "the end of a signal handler"},
      {SYS_rt_sigprocmask, "abort() and the end of a thread block signals"},
      {SYS_rt_sigaction, "abort(); handlers are taken back at the end"},
      {SYS_getpid, "abort()"},
      {SYS_gettid, "abort(), and the log"},
      {SYS_tgkill, "abort() signals the thread that it runs on", ourselves},
      {SYS_exit, "the end of a thread"},
      {SYS_exit_group, "the end"},
  };
}

}  // namespace penstock
