#include "dataplane/device/kernel_filter.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "penstock/base/log.hpp"
#include "penstock/base/unique_fd.hpp"

namespace penstock::dataplane {
namespace {

constexpr const char* nft_path = "/usr/sbin/nft";

// The first line of what nft complained of; a reason if it did not even run.
std::string first_line(int fd) {
  std::array<char, 256> text{};
  const auto length = pread(fd, text.data(), text.size(), 0);
  const std::string_view all{text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
  return std::string{all.substr(0, all.find('\n'))};
}

// nft with `script` as its input. Empty when it succeeded, else the reason.
std::string run_nft(const std::string& script) {
  const UniqueFd input{memfd_create("nft-script", MFD_CLOEXEC)};
  const UniqueFd complaints{memfd_create("nft-complaints", MFD_CLOEXEC)};
  if (!input || !complaints ||
      pwrite(input.get(), script.data(), script.size(), 0) != static_cast<ssize_t>(script.size()))
    return std::strerror(errno);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, complaints.get(), STDERR_FILENO);
  std::array<char, 4> name{"nft"};
  std::array<char, 3> option{"-f"};
  std::array<char, 2> standard_input{"-"};
  const std::array<char*, 4> argv{name.data(), option.data(), standard_input.data(), nullptr};
  const std::array<char*, 1> no_environment{nullptr};
  pid_t child = 0;
  const int error =
      posix_spawn(&child, nft_path, &files, nullptr, argv.data(), no_environment.data());
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return fmt::format("{}: {}", nft_path, std::strerror(error));

  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return std::strerror(errno);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  auto complaint = first_line(complaints.get());
  return complaint.empty() ? "nft failed" : complaint;
}

std::string delete_script(const std::string& table) {
  return fmt::format("table netdev {0}\ndelete table netdev {0}\n", table);
}

}  // namespace

std::string filter_table(const FilteredInterface& interface) {
  return fmt::format("penstock_{}", interface.index);
}

std::string filter_script(std::span<const FilteredInterface> interfaces, EgressHook egress) {
  std::string script;
  for (const auto& interface : interfaces) {
    const auto table = filter_table(interface);
    script += delete_script(table) + fmt::format("table netdev {} {{\n", table);
    script += fmt::format(
        "  chain in {{ type filter hook ingress device \"{}\" priority -300; policy drop; "
        "counter; }}\n",
        interface.name);
    if (interface.marks && egress == EgressHook::present)
      script += fmt::format(
          "  chain out {{ type filter hook egress device \"{}\" priority -300; policy drop; "
          "meta mark {:#x} meta mark set 0 accept; counter; }}\n",
          interface.name, packet_mark);
    script += "}\n";
  }
  return script;
}

std::string load_filter(std::span<const FilteredInterface> interfaces) {
  if (run_nft(filter_script(interfaces, EgressHook::present)).empty()) return {};
  auto complaint = run_nft(filter_script(interfaces, EgressHook::absent));
  if (complaint.empty())
    log::warn(
        "the kernel cannot filter what it sends itself (that takes Linux 5.16): only its receiving "
        "is shut off on this site's interfaces");
  return complaint;
}

void remove_filter(std::span<const FilteredInterface> interfaces) {
  for (const auto& interface : interfaces) {
    const auto table = filter_table(interface);
    if (const auto complaint = run_nft(delete_script(table)); !complaint.empty())
      log::warn(fmt::format("the filter on {} stays, remove it with `nft delete table netdev {}`: "
                            "{}",
                            interface.name, table, complaint));
  }
}

}  // namespace penstock::dataplane
