// The standard functions of the handshake, each from OpenSSL. Inputs that are lists are
// taken as concatenated, in order.
// Sources: FIPS 180-4, RFC 2104, RFC 8018 (PBKDF2), RFC 5869 (HKDF), RFC 8439 (AEAD).
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>

#include "penstock/base/bytes.hpp"

namespace penstock::crypto {

using Digest = std::array<std::byte, 32>;

[[nodiscard]] Digest sha256(std::initializer_list<Bytes> parts);

// HMAC-SHA256 of the parts under `key`, written to `out`. The output may be a secret.
void hmac_sha256(Bytes key, std::initializer_list<Bytes> parts, std::span<std::byte, 32> out);

// PBKDF2-HMAC-SHA256 with one iteration (the protocol's use: its input has full entropy).
void pbkdf2_sha256(Bytes password, std::initializer_list<Bytes> salt, MutableBytes out);

// HKDF-Expand with SHA-256; out.size() <= 255 * 32.
void hkdf_expand_sha256(std::span<const std::byte, 32> key, std::initializer_list<Bytes> info,
                        MutableBytes out);

inline constexpr std::size_t aead_tag = 16;
// ChaCha20-Poly1305 with nonce 0: for keys that seal one message only.
// sealed.size() == plain.size() + aead_tag.
void aead_seal_once(std::span<const std::byte, 32> key, Bytes associated, Bytes plain,
                    MutableBytes sealed);
// False, and `plain` wiped, when the tag does not hold.
[[nodiscard]] bool aead_open_once(std::span<const std::byte, 32> key, Bytes associated,
                                  Bytes sealed, MutableBytes plain);

// Unpredictable bytes (getrandom). Aborts if the kernel has none to give.
void fill_random(MutableBytes out);

}  // namespace penstock::crypto
