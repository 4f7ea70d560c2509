// Looks through all writable memory of this process for bytes that should be gone.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "penstock/base/bytes.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock {

// Remembers the first 16 of some bytes without itself holding a copy of them.
class Needle {
 public:
  static constexpr std::size_t size = 16;

  explicit Needle(Bytes bytes) {
    for (std::size_t i = 0; i < size; ++i) masked_[i] = bytes[i] ^ mask;
  }
  [[nodiscard]] bool is_at(const std::byte* at) const {
    for (std::size_t i = 0; i < size; ++i)
      if ((at[i] ^ mask) != masked_[i]) return false;
    return true;
  }

 private:
  static constexpr std::byte mask{0x5a};
  std::array<std::byte, size> masked_{};
};

// AddressSanitizer's own memory is so large that the search takes minutes.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool can_search_memory = false;
#elif defined(__has_feature)
inline constexpr bool can_search_memory = !__has_feature(address_sanitizer);
#else
inline constexpr bool can_search_memory = true;
#endif

// How often the needle lies in memory. Reads through /proc/self/mem, so that no guard page
// stops it, and leaves mappings of more than 1 GiB out, which are a tool's own.
inline std::size_t count_in_memory(const Needle& needle) {
  constexpr std::size_t step = 64 * 1024;
  static std::array<std::byte, step + Needle::size> window;  // what is read, never searched
  const UniqueFd memory{::open("/proc/self/mem", O_RDONLY | O_CLOEXEC)};
  const auto own = reinterpret_cast<std::uintptr_t>(window.data());
  std::size_t found = 0;
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    std::array<char, 5> access{};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &first, &last, access.data()) != 3 ||  // NOLINT
        access[0] != 'r' || access[1] != 'w' || last - first > std::size_t{1} << 30)
      continue;
    for (std::uintptr_t at = first; at < last; at += step) {
      const ssize_t got = ::pread(memory.get(), window.data(), std::min(window.size(), last - at),
                                  static_cast<off_t>(at));
      for (ssize_t i = 0; i + static_cast<ssize_t>(Needle::size) <= got; ++i) {
        const std::uintptr_t address = at + static_cast<std::uintptr_t>(i);
        const bool is_own = address + Needle::size > own && address < own + window.size();
        const bool is_next_step = i >= static_cast<ssize_t>(step);
        if (!is_own && !is_next_step && needle.is_at(&window[static_cast<std::size_t>(i)])) ++found;
      }
    }
  }
  wipe(window);
  return found;
}

}  // namespace penstock
