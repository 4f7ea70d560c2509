#include "controlplane/pipe/spare_entropy.hpp"

#include <utility>

namespace penstock::controlplane::pipe {

crypto::EphemeralKey SpareEntropy::ephemeral_key(KeyExchange kind) {
  if (!spare_ || spare_->kind != kind) return source_.ephemeral_key(kind);
  return std::exchange(spare_, std::nullopt).value().key;
}

void SpareEntropy::prepare(KeyExchange kind) {
  if (!spare_) spare_ = Spare{.kind = kind, .key = source_.ephemeral_key(kind)};
}

}  // namespace penstock::controlplane::pipe
