// The two groups behind EphemeralKey, each as two functions of bytes.
#pragma once

#include <cstddef>
#include <span>

#include "penstock/base/bytes.hpp"

namespace penstock::crypto {

using PrivateValue = std::span<const std::byte, 32>;

namespace x25519 {
using Value = std::span<std::byte, 32>;
void public_value(PrivateValue x, Value out);
// False when the result is all zero: the peer's point has small order.
[[nodiscard]] bool agree(PrivateValue x, std::span<const std::byte, 32> peer, Value out);
}  // namespace x25519

namespace modp2048 {
using Value = std::span<std::byte, 256>;
void public_value(PrivateValue x, Value out);
// False when not 1 < peer < p - 1.
[[nodiscard]] bool agree(PrivateValue x, std::span<const std::byte, 256> peer, Value out);
}  // namespace modp2048

}  // namespace penstock::crypto
