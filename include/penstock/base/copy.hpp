// Copies the bytes of packets. memcpy() has to find out what lengths it is for, and packets and
// their parts are of all lengths in turn: what it guesses wrong costs a fifth of the copy.
#pragma once

#include <cstddef>
#include <cstring>

#include "penstock/base/bytes.hpp"

namespace penstock {

// `to` has room for all of `from`, and they do not overlap. Returns where the copy ends.
inline std::byte* copy_bytes(std::byte* to, Bytes from) {
  constexpr std::size_t line = 64;
  const std::byte* at = from.data();
  const std::size_t size = from.size();
  std::byte* const end = to + size;
  if (size < line) [[unlikely]] {
    if (size != 0) std::memcpy(to, at, size);
    return end;
  }
  // Whole lines, and the last one again from behind.
  const std::byte* const last = at + size - line;
  for (; at < last; at += line, to += line) std::memcpy(to, at, line);
  std::memcpy(end - line, last, line);
  return end;
}

}  // namespace penstock
