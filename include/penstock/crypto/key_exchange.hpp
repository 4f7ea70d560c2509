// Diffie-Hellman, one ephemeral key pair. Public values have a fixed length each:
// X25519 32 bytes (RFC 7748), group 14 256 bytes big-endian (RFC 3526), private exponents
// of group 14 have 256 random bits as in spiped.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "penstock/base/bytes.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::crypto {

inline constexpr std::size_t max_public_value = 256;

[[nodiscard]] constexpr std::size_t public_value_size(KeyExchange kind) {
  return kind == KeyExchange::x25519 ? 32 : 256;
}

class EphemeralKey {
 public:
  [[nodiscard]] static EphemeralKey generate(KeyExchange kind);
  // From a given private value (32 bytes either way): test vectors, and nothing else.
  [[nodiscard]] static EphemeralKey from_private(KeyExchange kind,
                                                 std::span<const std::byte, 32> x);
  EphemeralKey(EphemeralKey&&) noexcept;
  EphemeralKey& operator=(EphemeralKey&&) noexcept;
  ~EphemeralKey();

  [[nodiscard]] Bytes public_value() const;  // public_value_size(kind) bytes

  // y_IR, at fixed length. Empty when the peer's value is out of range (group 14: <= 1 or
  // >= p - 1) or the result is all zero (X25519): the handshake ends.
  [[nodiscard]] std::optional<SecretBuffer> agree(Bytes peer_public_value) const;

 private:
  struct State;
  explicit EphemeralKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace penstock::crypto
