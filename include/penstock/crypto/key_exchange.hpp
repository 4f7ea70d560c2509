// Diffie-Hellman, one ephemeral key pair. Private, public and agreed values have a fixed length
// each, big-endian but for X25519:
//   X25519    RFC 7748
//   P256,     the NIST curves, exchanged as in RFC 5903: private values from 1 to the order
//   P384        less 1, public values uncompressed points (0x04 || x || y), agreed is x alone
//   MODP2048  RFC 3526 group 14, private values of 256 random bits as in spiped
#pragma once

#include <memory>
#include <optional>

#include "penstock/base/bytes.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::crypto {

struct ExchangeSizes {
  std::size_t private_value;
  std::size_t public_value;
  std::size_t agreed;
};

[[nodiscard]] constexpr ExchangeSizes exchange_sizes(KeyExchange kind) {
  switch (kind) {
    case KeyExchange::x25519:
      return {.private_value = 32, .public_value = 32, .agreed = 32};
    case KeyExchange::p256:
      return {.private_value = 32, .public_value = 65, .agreed = 32};
    case KeyExchange::p384:
      return {.private_value = 48, .public_value = 97, .agreed = 48};
    case KeyExchange::modp2048:
      break;
  }
  return {.private_value = 32, .public_value = 256, .agreed = 256};
}

inline constexpr std::size_t max_public_value = 256;
inline constexpr std::size_t max_private_value = 48;

[[nodiscard]] constexpr std::size_t private_value_size(KeyExchange kind) {
  return exchange_sizes(kind).private_value;
}
[[nodiscard]] constexpr std::size_t public_value_size(KeyExchange kind) {
  return exchange_sizes(kind).public_value;
}

// Whether `y` has 256 bytes and is 1 < y < p - 1: what MODP2048 agrees with.
[[nodiscard]] bool is_modp2048_public_value(Bytes y);

class EphemeralKey {
 public:
  [[nodiscard]] static EphemeralKey generate(KeyExchange kind);
  // From a given private value of private_value_size(kind) bytes, on the NIST curves in range:
  // test vectors and simulation, and nothing else.
  [[nodiscard]] static EphemeralKey from_private(KeyExchange kind, Bytes x);
  EphemeralKey(EphemeralKey&&) noexcept;
  EphemeralKey& operator=(EphemeralKey&&) noexcept;
  ~EphemeralKey();

  [[nodiscard]] Bytes public_value() const;  // public_value_size(kind) bytes

  // y_IR, at fixed length. Empty, and the handshake ends, when the peer's value has another
  // length, is out of range (group 14: <= 1 or >= p - 1), is no uncompressed point of the curve
  // (P256, P384), or makes the result all zero (X25519).
  [[nodiscard]] std::optional<SecretBuffer> agree(Bytes peer_public_value) const;

 private:
  struct State;
  explicit EphemeralKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace penstock::crypto
