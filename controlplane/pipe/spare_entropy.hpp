// Another source's entropy with one key pair in stock, made when nobody waits for it.
#pragma once

#include <optional>

#include "controlplane/handshake/entropy.hpp"

namespace penstock::controlplane::pipe {

// One thread's. A pair is given once; what is in stock at the end is wiped with it.
class SpareEntropy final : public Entropy {
 public:
  // `source` outlives it.
  explicit SpareEntropy(Entropy& source) : source_(source) {}

  void fill(MutableBytes out) override { source_.fill(out); }
  [[nodiscard]] crypto::EphemeralKey ephemeral_key(KeyExchange kind) override;
  void prepare(KeyExchange kind) override;

 private:
  struct Spare {
    KeyExchange kind;
    crypto::EphemeralKey key;
  };

  Entropy& source_;
  std::optional<Spare> spare_;
};

}  // namespace penstock::controlplane::pipe
