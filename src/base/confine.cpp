#include "penstock/base/confine.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace penstock {

void keep_memory_private() {
  constexpr rlimit no_core{};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL);
  prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
}

}  // namespace penstock
