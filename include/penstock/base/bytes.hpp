// Byte spans and explicit big-endian (network order) and little-endian loads and
// stores. Nothing on the wire is ever read by overlaying a struct.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace penstock {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

[[nodiscard]] constexpr std::uint8_t load_u8(const std::byte* at) {
  return std::to_integer<std::uint8_t>(*at);
}

[[nodiscard]] constexpr std::uint16_t load_be16(const std::byte* at) {
  return static_cast<std::uint16_t>(load_u8(at) << 8 | load_u8(at + 1));
}

[[nodiscard]] constexpr std::uint32_t load_be24(const std::byte* at) {
  return std::uint32_t{load_u8(at)} << 16 | load_be16(at + 1);
}

[[nodiscard]] constexpr std::uint32_t load_be32(const std::byte* at) {
  return std::uint32_t{load_be16(at)} << 16 | load_be16(at + 2);
}

[[nodiscard]] constexpr std::uint64_t load_be64(const std::byte* at) {
  return std::uint64_t{load_be32(at)} << 32 | load_be32(at + 4);
}

[[nodiscard]] constexpr std::uint16_t load_le16(const std::byte* at) {
  return static_cast<std::uint16_t>(load_u8(at + 1) << 8 | load_u8(at));
}

constexpr void store_u8(std::byte* at, std::uint8_t value) { *at = std::byte{value}; }

constexpr void store_be16(std::byte* at, std::uint16_t value) {
  at[0] = static_cast<std::byte>(value >> 8);
  at[1] = static_cast<std::byte>(value);
}

constexpr void store_be24(std::byte* at, std::uint32_t value) {
  at[0] = static_cast<std::byte>(value >> 16);
  store_be16(at + 1, static_cast<std::uint16_t>(value));
}

constexpr void store_be32(std::byte* at, std::uint32_t value) {
  store_be16(at, static_cast<std::uint16_t>(value >> 16));
  store_be16(at + 2, static_cast<std::uint16_t>(value));
}

constexpr void store_be64(std::byte* at, std::uint64_t value) {
  store_be32(at, static_cast<std::uint32_t>(value >> 32));
  store_be32(at + 4, static_cast<std::uint32_t>(value));
}

constexpr void store_le16(std::byte* at, std::uint16_t value) {
  at[0] = static_cast<std::byte>(value);
  at[1] = static_cast<std::byte>(value >> 8);
}

// The bytes of a string, for labels that go into a MAC or a key derivation.
[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text});
}

// Lower-case hexadecimal, two digits a byte. For ids and tests, never for secrets.
[[nodiscard]] std::string to_hex(Bytes bytes);

}  // namespace penstock
