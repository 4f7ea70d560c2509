#include "penstock/base/confine.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>

#include <fmt/format.h>

#include "confine_parts.hpp"
#include "penstock/base/log.hpp"

namespace penstock {
namespace {

struct ThreadLimits {
  std::uint64_t capabilities;
  int file_rules;  // -1: none
};

// In a signal handler, perhaps.
bool limit_thread(const void* data) {
  const auto& limits = *static_cast<const ThreadLimits*>(data);
  // A thread's own, unlike what else keep_memory_private() does.
  prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
  return confinement::keep_capabilities(limits.capabilities) &&
         (limits.file_rules < 0 || confinement::enter_file_rules(limits.file_rules));
}

Result<UniqueFd> file_rules(const Confinement& wanted) {
  if constexpr (!confines_files_and_calls) return UniqueFd{};
  return confinement::make_file_rules(wanted);
}

Result<void> limit_threads(const Confinement& wanted) {
  UniqueFd rules;
  if constexpr (confines_files_and_calls) {
    auto made = confinement::make_file_rules(wanted);
    if (!made) return std::unexpected{made.error()};
    rules = std::move(*made);
    if (!rules)
      log::warn("this kernel has no Landlock: which files this process may touch is left to their "
                "permissions");
  }
  const ThreadLimits limits{.capabilities = confinement::capability_mask(wanted.capabilities),
                            .file_rules = rules.get()};
  const auto missed = confinement::on_every_thread(limit_thread, &limits);
  if (!missed.empty())
    log::warn(fmt::format("{} of this process's threads keep their capabilities and file access, "
                          "since they take no signals: thread {} is one",
                          missed.size(), missed.front()));
  return {};
}

}  // namespace

void keep_memory_private() {
  constexpr rlimit no_core{};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL);
  prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
}

void keep_capabilities(std::span<const KeptCapability> kept) {
  keep_memory_private();
  (void)confinement::keep_capabilities(confinement::capability_mask(kept));
}

Result<void> confine_child(const Confinement& wanted) {
  const auto rules = file_rules(wanted);
  if (!rules) return std::unexpected{rules.error()};
  const ThreadLimits limits{.capabilities = confinement::capability_mask(wanted.capabilities),
                            .file_rules = rules->get()};
  if (!limit_thread(&limits)) return fail_errno("cannot give up rights", errno);
  return {};
}

Result<void> confine(const Confinement& confinement) {
  keep_memory_private();
  if (auto limited = limit_threads(confinement); !limited) return limited;
  if constexpr (!confines_files_and_calls) return {};
  const auto enforced = confinement::limit_calls(confinement.calls);
  if (!enforced) return std::unexpected{enforced.error()};
  if (*enforced == confinement::Enforced::no)
    log::warn("this kernel has no seccomp: this process may make any system call");
  return {};
}

}  // namespace penstock
