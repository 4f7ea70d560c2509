// The second of a program's three phases: open what needs privilege, confine, run.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/base/error.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define PENSTOCK_HAS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PENSTOCK_HAS_SANITIZER
#endif

namespace penstock {

// A sanitizer opens files and makes calls of its own, so that in a program built with one
// confine() leaves both free.
#ifdef PENSTOCK_HAS_SANITIZER
inline constexpr bool confines_files_and_calls = false;
#else
inline constexpr bool confines_files_and_calls = true;
#endif

// Holds for a call whose argument number `index`, under `mask`, equals `value`. The kernel takes
// most arguments as 32 bits, whatever stands above them in the register.
struct ArgumentRule {
  unsigned index;
  std::uint64_t value;
  std::uint64_t mask = 0xffff'ffff;
};

// A line of the list of system calls. Two lines of one number allow what either allows.
struct AllowedCall {
  enum class Answer : std::uint8_t {
    allow,
    refuse,  // EACCES: of a library that tries it, and goes on without
    absent,  // ENOSYS: as a kernel that does not have it, so that the library takes an older way
  };
  int number;  // SYS_read
  std::string_view reason;
  std::optional<ArgumentRule> only_if = std::nullopt;
  Answer answer = Answer::allow;
};

struct KeptCapability {
  int number;  // CAP_IPC_LOCK
  std::string_view reason;
};

struct AllowedPath {
  enum class Access : std::uint8_t {
    read,
    remove_files,
    append_files,   // make them and write to them
    replace_files,  // ... and remove them and rename them over each other
  };
  std::filesystem::path path;  // and all below it; one that does not exist gives nothing
  Access access;
  std::string_view reason;
};

// Of TCP, to connect to at whatever address.
struct AllowedPort {
  std::uint16_t number;
  std::string_view reason;
};

// All that a program may still do in its third phase.
struct Confinement {
  std::vector<KeptCapability> capabilities;
  std::vector<AllowedPath> paths;
  std::vector<AllowedCall> calls;
  bool may_reach_abstract_sockets = false;  // of others; files say nothing about those
  bool may_use_tcp = false;                 // bind and connect
  std::vector<AllowedPort> ports;           // where it may not: but for these
};

// What every program of ours needs to go on, to log and to end: memory, clocks, locks.
// Of the calling process: it may signal itself alone.
[[nodiscard]] std::vector<AllowedCall> everyday_calls();

// Confines this process, with all its threads and for good: private memory (below), the
// capabilities, file access (Landlock, with as much as the kernel knows of it), and the system
// calls: one that is not on the list kills the process, and the kernel's log tells which. What a
// kernel cannot do is a warning in the log.
//
// Other threads are reached by SIGURG, which is ignored afterwards as before; call this while
// they wait for work. Fails when the kernel refuses what it offers.
[[nodiscard]] Result<void> confine(const Confinement& confinement);

// The part of it for a child of a confined process: fewer capabilities and files than that has. Its
// system calls are on the list already. Of the calling thread, and there is no other.
[[nodiscard]] Result<void> confine_child(const Confinement& wanted);

// The part of it for a process that starts other programs: private memory, and no capabilities
// but these, for this thread and what it starts.
void keep_capabilities(std::span<const KeptCapability> kept);

// No core dumps, no tracing by processes of the same user (so nobody reads /proc/PID/mem), no
// new privileges. Memory that holds keys is then readable by root alone.
void keep_memory_private();

}  // namespace penstock
