#include "penstock/keys/secret.hpp"

#include <cstdint>
#include <cstring>

namespace penstock {

void wipe(MutableBytes bytes) noexcept {
  if (!bytes.empty()) ::explicit_bzero(bytes.data(), bytes.size());
}

bool equal_constant_time(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  std::uint64_t difference = 0;
  std::size_t at = 0;
  for (; at + sizeof difference <= a.size(); at += sizeof difference) {
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    std::memcpy(&x, a.data() + at, sizeof x);
    std::memcpy(&y, b.data() + at, sizeof y);
    difference |= x ^ y;
    // Hides the value from the compiler, which might otherwise stop at the first difference.
    asm volatile("" : "+r"(difference));
  }
  for (; at < a.size(); ++at) {
    difference |= std::to_integer<std::uint64_t>(a[at] ^ b[at]);
    asm volatile("" : "+r"(difference));
  }
  return difference == 0;
}

}  // namespace penstock
