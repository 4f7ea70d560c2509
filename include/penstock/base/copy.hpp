// Copies the bytes of packets. memcpy() has to find out what lengths it is for, and packets and
// their parts are of all lengths in turn: what it guesses wrong costs a fifth of the copy.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>

#include "penstock/base/bytes.hpp"

namespace penstock {

// Of a length between N and twice that.
template <std::size_t N>
inline void copy_both_ends(std::byte* to, const std::byte* from, std::size_t size) {
  std::array<std::byte, N> last;
  std::memcpy(last.data(), from + size - N, N);
  std::memcpy(to, from, N);
  std::memcpy(to + size - N, last.data(), N);
}

// `to` has room for all of `from`, and they do not overlap. Returns where the copy ends.
inline std::byte* copy_bytes(std::byte* to, Bytes from) {
  constexpr std::size_t line = 64;
  const std::byte* at = from.data();
  const std::size_t size = from.size();
  std::byte* const end = to + size;
  if (size < line) {
    if (size >= line / 2)
      copy_both_ends<line / 2>(to, at, size);
    else if (size != 0)
      std::memcpy(to, at, size);
    return end;
  }
  // Whole lines, and the last one again from behind.
  const std::byte* const last = at + size - line;
  for (; at < last; at += line, to += line) std::memcpy(to, at, line);
  std::memcpy(end - line, last, line);
  return end;
}

}  // namespace penstock
