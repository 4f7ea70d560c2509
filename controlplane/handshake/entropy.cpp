#include "controlplane/handshake/entropy.hpp"

#include <array>

#include "penstock/crypto/primitives.hpp"

namespace penstock::controlplane {

std::uint64_t Entropy::below(std::uint64_t bound) {
  std::array<std::byte, 8> bytes;
  fill(bytes);
  return load_be64(bytes.data()) % bound;
}

void SystemEntropy::fill(MutableBytes out) { crypto::fill_random(out); }

crypto::EphemeralKey SystemEntropy::ephemeral_key(KeyExchange kind) {
  return crypto::EphemeralKey::generate(kind);
}

}  // namespace penstock::controlplane
