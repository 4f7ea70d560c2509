#include "penstock/base/unique_fd.hpp"

#include <unistd.h>

namespace penstock {

void UniqueFd::reset(int fd) {
  const int old = std::exchange(fd_, fd);
  // Linux frees the descriptor whatever close() returns; trying again could close another's.
  if (old >= 0) ::close(old);
}

}  // namespace penstock
