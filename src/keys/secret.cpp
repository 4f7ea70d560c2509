#include "penstock/keys/secret.hpp"

#include <cstring>

namespace penstock {

void wipe(MutableBytes bytes) noexcept {
  if (!bytes.empty()) ::explicit_bzero(bytes.data(), bytes.size());
}

bool equal_constant_time(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= std::to_integer<unsigned>(a[i] ^ b[i]);
    // Hides the value from the compiler, which might otherwise stop at the first difference.
    asm volatile("" : "+r"(difference));
  }
  return difference == 0;
}

}  // namespace penstock
