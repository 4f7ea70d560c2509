// Base64 with padding (RFC 4648 section 4), into memory of the caller's, so that secrets are never
// elsewhere.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "penstock/base/bytes.hpp"

namespace penstock {

[[nodiscard]] constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

// text.size() == base64_size(bytes.size()).
void write_base64(Bytes bytes, std::span<char> text);
// False when `text` is not what write_base64 makes of out.size() bytes; `out` then holds nothing
// to use.
[[nodiscard]] bool read_base64(std::string_view text, MutableBytes out);

}  // namespace penstock
