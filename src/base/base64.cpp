#include "penstock/base/base64.hpp"

#include <algorithm>
#include <cstdint>

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t bytes_of_group = 3;
constexpr std::size_t digits_of_group = 4;

}  // namespace

void write_base64(Bytes bytes, std::span<char> text) {
  check(text.size() == base64_size(bytes.size()), "room for exactly this base64");
  for (std::size_t at = 0; !bytes.empty(); at += digits_of_group) {
    const Bytes group = bytes.first(std::min(bytes_of_group, bytes.size()));
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < bytes_of_group; ++i)
      bits = bits << 8 | (i < group.size() ? load_u8(&group[i]) : 0u);
    for (std::size_t i = 0; i < digits_of_group; ++i)
      text[at + i] = i <= group.size() ? digits[bits >> (18 - 6 * i) & 63] : '=';
    bytes = bytes.subspan(group.size());
  }
}

bool read_base64(std::string_view text, MutableBytes out) {
  if (text.size() != base64_size(out.size())) return false;
  for (; !out.empty(); text.remove_prefix(digits_of_group)) {
    const std::size_t size = std::min(bytes_of_group, out.size());
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < digits_of_group; ++i) {
      const std::size_t digit = i <= size ? digits.find(text[i]) : 0;
      if (digit == digits.npos || (i > size && text[i] != '=')) return false;
      bits = bits << 6 | static_cast<std::uint32_t>(digit);
    }
    // One text for each value: what the last digit has too much is zero.
    if ((bits & ((1u << 8 * (bytes_of_group - size)) - 1)) != 0) return false;
    for (std::size_t i = 0; i < size; ++i)
      out[i] = static_cast<std::byte>(bits >> (16 - 8 * i) & 0xff);
    out = out.subspan(size);
  }
  return true;
}

}  // namespace penstock
