// Every protection by OpenSSL, a frame at a time: for CPUs without AES instructions, where the
// config allows it. Many times slower; and OpenSSL's portable AES and GHASH look tables up by
// secret bytes in places, which who shares the CPU's caches may learn from: ChaCha20-Poly1305 does
// not. Unlike the rest of this layer it allocates.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "penstock/base/suite.hpp"
#include "penstock/keys/secret.hpp"
#include "src/crypto/openssl.hpp"
#include "work.hpp"

namespace penstock {

class SlowFrames {
 public:
  struct Keys {
    Protection protection{};
    std::array<std::byte, 32> encrypt{};
    std::array<std::byte, 48> mac{};
  };

  using FullTag = std::array<std::byte, 48>;

  static void expand(Protection protection, const EncryptKey& encrypt, const MacKey& mac,
                     Keys& out);
  static void seal(Batch batch);
  // A refused frame is as it came or, with an AEAD, wiped.
  [[nodiscard]] static OpenedMask open(Batch batch);

  // The parts of the CTR protections, of any bytes. Counter block = number || be64 0.
  static void run_ctr(const Keys& keys, std::span<const std::byte, 8> number, MutableBytes text);
  [[nodiscard]] static FullTag hmac(const Keys& keys, Bytes text);
};

}  // namespace penstock
