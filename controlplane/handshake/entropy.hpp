// Where the handshake's randomness comes from: the kernel, or a seed in tests and
// simulation, where every run can be repeated.
#pragma once

#include "penstock/base/bytes.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/crypto/key_exchange.hpp"

namespace penstock::controlplane {

class Entropy {
 public:
  Entropy() = default;
  Entropy(const Entropy&) = delete;
  Entropy& operator=(const Entropy&) = delete;
  virtual ~Entropy() = default;

  virtual void fill(MutableBytes out) = 0;
  [[nodiscard]] virtual crypto::EphemeralKey ephemeral_key(KeyExchange kind) = 0;
  // There is time to make what ephemeral_key() will give next; whoever keeps nothing does nothing.
  virtual void prepare(KeyExchange /*kind*/) {}

  // Uniform in 0..bound-1, up to a bias of bound / 2^64: for jitter and slots, not for keys.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
};

class SystemEntropy final : public Entropy {
 public:
  void fill(MutableBytes out) override;
  [[nodiscard]] crypto::EphemeralKey ephemeral_key(KeyExchange kind) override;
};

}  // namespace penstock::controlplane
