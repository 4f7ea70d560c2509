#include "penstock/keys/secret.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace penstock {

void wipe(MutableBytes bytes) noexcept {
  if (!bytes.empty()) ::explicit_bzero(bytes.data(), bytes.size());
}

bool equal_constant_time(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  std::uint64_t difference = 0;
  for (std::size_t at = 0; at < a.size(); at += sizeof(std::uint64_t)) {
    // Eight bytes at a time, the last ones filled up with zeros.
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    const std::size_t size = std::min(sizeof x, a.size() - at);
    std::memcpy(&x, a.data() + at, size);
    std::memcpy(&y, b.data() + at, size);
    difference |= x ^ y;
    // Hides the value from the compiler, which might otherwise stop at the first difference.
    asm volatile("" : "+r"(difference));
  }
  return difference == 0;
}

}  // namespace penstock
