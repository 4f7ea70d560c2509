// Begins to fetch what is needed soon, and waits for none of it.
#pragma once

#include <cstddef>

namespace penstock {

// The line that holds `at`. Not by __builtin_prefetch: GCC takes a function that does nothing else
// for one without effect, and leaves out calls of it.
inline void prefetch(const void* at) {
  asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(at)));
}

// The lines of `size` bytes.
inline void prefetch(const void* at, std::size_t size) {
  for (std::size_t line = 0; line < size; line += 64)
    prefetch(static_cast<const std::byte*>(at) + line);
}

}  // namespace penstock
