// Entropy that repeats itself from the same seed.
#pragma once

#include <array>
#include <random>

#include "controlplane/handshake/entropy.hpp"

namespace penstock::controlplane {

class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : engine_(seed) {}

  void fill(MutableBytes out) override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_());
  }
  [[nodiscard]] crypto::EphemeralKey ephemeral_key(KeyExchange kind) override {
    ++keys_made;
    std::array<std::byte, crypto::max_private_value> bytes;
    const MutableBytes x = std::span{bytes}.first(crypto::private_value_size(kind));
    fill(x);
    return crypto::EphemeralKey::from_private(kind, x);
  }

  unsigned keys_made = 0;

 private:
  std::mt19937_64 engine_;
};

}  // namespace penstock::controlplane
