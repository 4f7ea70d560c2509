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
#include <span>
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
  [[nodiscard]] std::uint8_t first() const { return load_u8(masked_.data()) ^ load_u8(&mask); }
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

// How often each needle lies in memory, and how often outside of secret memory. Reads through
// /proc/self/mem, so that no guard page stops it, and leaves mappings of more than 1 GiB out, which
// are a tool's own.
class MemorySearch {
 public:
  explicit MemorySearch(std::span<const Needle> needles)
      : needles_(needles), found_(needles.size()), in_the_open_(needles.size()) {
    for (std::size_t i = 0; i < needles.size(); ++i)
      starting_with_[needles[i].first()].push_back(i);
    std::ifstream smaps{"/proc/self/smaps"};
    for (std::string line; std::getline(smaps, line);) read_line(line);
    wipe(window_);
  }
  [[nodiscard]] const std::vector<std::size_t>& found() const { return found_; }
  [[nodiscard]] const std::vector<std::size_t>& found_in_the_open() const { return in_the_open_; }

 private:
  static constexpr std::size_t step = 64 * 1024;
  using Window = std::array<std::byte, step + Needle::size>;

  // A mapping's first line tells where it is, its last one how it is kept (proc(5), smaps).
  void read_line(const std::string& line) {
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    std::array<char, 5> access{};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &first, &last, access.data()) == 3) {  // NOLINT
      first_ = first;
      last_ = last;
      is_searched_ = access[0] == 'r' && access[1] == 'w' && last - first <= std::size_t{1} << 30;
    }
    if (!line.starts_with("VmFlags:") || !is_searched_) return;
    // Left out of core dumps and of children: only secret memory is both.
    is_secret_ = (line + " ").find(" dd ") != std::string::npos &&
                 (line + " ").find(" wf ") != std::string::npos;
    search_mapping();
  }
  void search_mapping() {
    for (std::uintptr_t at = first_; at < last_; at += step) {
      const ssize_t got = ::pread(memory_.get(), window_.data(),
                                  std::min(window_.size(), last_ - at), static_cast<off_t>(at));
      search_window(at, got);
    }
  }
  void search_window(std::uintptr_t at, ssize_t got) {
    const auto own = reinterpret_cast<std::uintptr_t>(window_.data());
    // What begins behind `step` is the next window's.
    const auto end = std::min<ssize_t>(got - static_cast<ssize_t>(Needle::size) + 1, step);
    for (ssize_t i = 0; i < end; ++i) {
      const std::byte* const here = &window_[static_cast<std::size_t>(i)];
      const std::uintptr_t address = at + static_cast<std::uintptr_t>(i);
      if (address + Needle::size > own && address < own + window_.size()) continue;
      for (const std::size_t needle : starting_with_[load_u8(here)])
        if (needles_[needle].is_at(here)) {
          ++found_[needle];
          if (!is_secret_) ++in_the_open_[needle];
        }
    }
  }

  static inline Window window_;  // what is read, never searched
  const UniqueFd memory_{::open("/proc/self/mem", O_RDONLY | O_CLOEXEC)};
  std::span<const Needle> needles_;
  std::vector<std::size_t> found_;
  std::vector<std::size_t> in_the_open_;
  std::uintptr_t first_ = 0;
  std::uintptr_t last_ = 0;
  bool is_searched_ = false;
  bool is_secret_ = false;
  std::array<std::vector<std::size_t>, 256> starting_with_;
};

inline std::vector<std::size_t> count_in_memory(std::span<const Needle> needles) {
  return MemorySearch{needles}.found();
}
inline std::size_t count_in_memory(const Needle& needle) {
  return count_in_memory({&needle, 1}).front();
}

}  // namespace penstock
