// What FrameEngine::expand makes of the keys of an SA, in the form ipsec-mb wants.
#pragma once

#include <array>
#include <cstddef>

#include "penstock/crypto/frame_engine.hpp"

namespace penstock {

struct SaCipher::Expanded {
  // 15 round keys of AES-256. CTR mode needs no decryption schedule.
  alignas(64) std::array<std::byte, std::size_t{15} * 16> round_keys{};
  // The states of SHA-256 after the first block of HMAC's two hashes: key xor ipad, key xor opad.
  std::array<std::byte, 32> inner{};
  std::array<std::byte, 32> outer{};
  FrameShape shape;
};
static_assert(sizeof(SaCipher::Expanded) <= 320, "five cache lines a frame");

}  // namespace penstock
