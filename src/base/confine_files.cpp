// Landlock, by its system calls: there is no library for it, and the build machine's kernel
// headers may be older than the kernel that we run on. Numbers from include/uapi/linux/landlock.h
// of Linux 6.12; each version of the interface adds some.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "confine_parts.hpp"

namespace penstock::confinement {
namespace {

struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};

struct [[gnu::packed]] PathRule {
  std::uint64_t allowed;
  std::int32_t parent;
};

struct PortRule {
  std::uint64_t allowed;
  std::uint64_t port;
};

constexpr long path_rule = 1;        // LANDLOCK_RULE_PATH_BENEATH
constexpr long port_rule = 2;        // LANDLOCK_RULE_NET_PORT
constexpr unsigned ask_version = 1;  // LANDLOCK_CREATE_RULESET_VERSION

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }
constexpr std::uint64_t write_file = bit(1);
constexpr std::uint64_t read_file = bit(2);
constexpr std::uint64_t read_directory = bit(3);
constexpr std::uint64_t remove_file = bit(5);
constexpr std::uint64_t make_file = bit(8);
constexpr std::uint64_t bind_tcp = bit(0);
constexpr std::uint64_t connect_tcp = bit(1);
constexpr std::uint64_t abstract_sockets = bit(0);

// Every right to files that this version knows is taken away, but for the rules.
std::uint64_t rights_to_files(long version) {
  if (version >= 5) return bit(16) - 1;  // devices' ioctl
  if (version >= 3) return bit(15) - 1;  // truncate
  if (version >= 2) return bit(14) - 1;  // link and rename across directories
  return bit(13) - 1;
}

RulesetAttributes attributes(long version, const Confinement& confinement) {
  RulesetAttributes all{.files = rights_to_files(version), .network = 0, .scopes = 0};
  if (version >= 4 && !confinement.may_use_tcp) all.network = bind_tcp | connect_tcp;
  if (version >= 6 && !confinement.may_reach_abstract_sockets) all.scopes = abstract_sockets;
  return all;
}

std::uint64_t rights(AllowedPath::Access access) {
  switch (access) {
    case AllowedPath::Access::read:
      return read_file | read_directory;
    case AllowedPath::Access::remove_files:
      return remove_file;
    case AllowedPath::Access::append_files:
      return write_file | make_file;
    case AllowedPath::Access::replace_files:
      return write_file | make_file | remove_file;
  }
  return 0;
}

Result<void> add_path(int rules, const AllowedPath& allowed) {
  const UniqueFd path{open(allowed.path.c_str(), O_PATH | O_CLOEXEC)};
  if (!path && errno == ENOENT) return {};
  struct stat status{};
  if (path && fstat(path.get(), &status) == 0) {
    // Of a file that is no directory, only a file's rights can be named.
    const auto of_file = S_ISDIR(status.st_mode) ? ~std::uint64_t{0} : read_file | write_file;
    const PathRule rule{.allowed = rights(allowed.access) & of_file, .parent = path.get()};
    if (syscall(SYS_landlock_add_rule, rules, path_rule, &rule, 0) == 0) return {};
  }
  return fail_errno(fmt::format("cannot name {} to Landlock", allowed.path.string()), errno);
}

Result<void> add_port(int rules, const AllowedPort& allowed) {
  const PortRule rule{.allowed = connect_tcp, .port = allowed.number};
  if (syscall(SYS_landlock_add_rule, rules, port_rule, &rule, 0) == 0) return {};
  return fail_errno(fmt::format("cannot name port {} to Landlock", allowed.number), errno);
}

}  // namespace

Result<UniqueFd> make_file_rules(const Confinement& confinement) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, ask_version);
  if (version < 1) return UniqueFd{};  // built without it, or switched off at boot
  const RulesetAttributes all = attributes(version, confinement);
  // An older version takes the longer structure, as long as what it does not know is zero.
  UniqueFd rules{static_cast<int>(syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0))};
  if (!rules) return fail_errno("cannot make rules for file access with Landlock", errno);
  for (const AllowedPath& path : confinement.paths)
    if (auto added = add_path(rules.get(), path); !added) return std::unexpected{added.error()};
  if (all.network == 0) return rules;
  for (const AllowedPort& port : confinement.ports)
    if (auto added = add_port(rules.get(), port); !added) return std::unexpected{added.error()};
  return rules;
}

bool enter_file_rules(int rules) { return syscall(SYS_landlock_restrict_self, rules, 0) == 0; }

}  // namespace penstock::confinement
