// By the system calls themselves: what runs in a signal handler can use no library.
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "confine_parts.hpp"

namespace penstock::confinement {
namespace {

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

__user_cap_header_struct this_thread() {
  return {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
}

}  // namespace

std::uint64_t capability_mask(std::span<const KeptCapability> kept) {
  std::uint64_t mask = 0;
  for (const KeptCapability& capability : kept) mask |= std::uint64_t{1} << capability.number;
  return mask;
}

bool keep_capabilities(std::uint64_t kept) {
  // The bounding set first, which takes CAP_SETPCAP. Without it there is none to drop from: a
  // process with "no new privileges" gains nothing by a bounding set.
  for (unsigned long number = 0; number < 64; ++number)
    if ((kept >> number & 1) == 0) prctl(PR_CAPBSET_DROP, number, 0UL, 0UL, 0UL);
  auto header = this_thread();
  Sets sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return false;
  for (std::size_t half = 0; half < sets.size(); ++half) {
    const auto mask = static_cast<std::uint32_t>(kept >> (32 * half));
    auto& [effective, permitted, inheritable] = sets[half];
    permitted &= mask;
    effective = permitted;
    inheritable &= mask;  // and with it the ambient set
  }
  return syscall(SYS_capset, &header, sets.data()) == 0;
}

}  // namespace penstock::confinement
