// A programmer's error stops the process: the one kind of failure that has no
// other answer. Bad frames are verdicts, failed operations are Results.
#pragma once

#include <source_location>

namespace penstock {

// Prints where and what, then aborts.
[[noreturn]] void check_failed(const char* what, std::source_location where);

inline void check(bool holds, const char* what,
                  std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    check_failed(what, where);
}

}  // namespace penstock
