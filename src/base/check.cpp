#include "penstock/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace penstock {

void check_failed(const char* what, std::source_location where) {
  // No allocation and no logger: whatever is broken may be one of them.
  std::fprintf(stderr, "%s:%u: %s: check failed: %s\n", where.file_name(),
               static_cast<unsigned>(where.line()), where.function_name(), what);
  std::abort();
}

}  // namespace penstock
