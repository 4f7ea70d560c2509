// The parts of confine(), one file each.
#pragma once

#include <linux/capability.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "penstock/base/confine.hpp"
#include "penstock/base/unique_fd.hpp"

namespace penstock::confinement {

// --- what belongs to a thread, and is made of system calls alone ---------------------------

[[nodiscard]] std::uint64_t capability_mask(std::span<const KeptCapability> kept);

// Of this thread: every set is cut down to `kept`.
[[nodiscard]] bool keep_capabilities(std::uint64_t kept);

// Of this thread: no file but what the rules name. Wants "no new privileges".
[[nodiscard]] bool enter_file_rules(int rules);

// Runs `action(data)` on every thread of this process, the calling one last. On the others it
// runs in a signal handler, so that it may make system calls and no more. Returns the threads
// on which it failed, or that did not take the signal within a second.
[[nodiscard]] std::vector<pid_t> on_every_thread(bool (*action)(const void*), const void* data);

// --- what is of the whole process ------------------------------------------------------------

// The files' rules as a descriptor; none where the kernel has no Landlock.
[[nodiscard]] Result<UniqueFd> make_file_rules(const Confinement& confinement);

enum class Enforced : bool { no, yes };

// All threads at once. Not enforced where the kernel has no seccomp.
[[nodiscard]] Result<Enforced> limit_calls(std::span<const AllowedCall> calls);

}  // namespace penstock::confinement
