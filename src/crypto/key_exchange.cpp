#include "penstock/crypto/key_exchange.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "diffie_hellman.hpp"
#include "openssl_memory.hpp"
#include "penstock/base/check.hpp"
#include "penstock/crypto/primitives.hpp"

namespace penstock::crypto {

const Group& group_of(KeyExchange kind) {
  switch (kind) {
    case KeyExchange::x25519:
      return x25519;
    case KeyExchange::p256:
      return p256;
    case KeyExchange::p384:
      return p384;
    case KeyExchange::modp2048:
      break;
  }
  return modp2048;
}

struct EphemeralKey::State {
  KeyExchange kind;
  SecretBuffer x;
  std::array<std::byte, max_public_value> y{};

  State(KeyExchange group, SecretBuffer key) : kind(group), x(std::move(key)) {
    group_of(kind).public_value(x.reveal(), std::span{y}.first(public_value_size(kind)));
    openssl::wipe_stack_below();
  }
  [[nodiscard]] Bytes public_value() const { return Bytes{y}.first(public_value_size(kind)); }
};

EphemeralKey::EphemeralKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
EphemeralKey::EphemeralKey(EphemeralKey&&) noexcept = default;
EphemeralKey& EphemeralKey::operator=(EphemeralKey&&) noexcept = default;
EphemeralKey::~EphemeralKey() = default;

EphemeralKey EphemeralKey::generate(KeyExchange kind) {
  SecretBuffer x{private_value_size(kind)};
  do {
    fill_random(x.fill());
  } while (!group_of(kind).is_private_value(x.reveal()));
  return EphemeralKey{std::make_unique<State>(kind, std::move(x))};
}

EphemeralKey EphemeralKey::from_private(KeyExchange kind, Bytes x) {
  check(x.size() == private_value_size(kind) && group_of(kind).is_private_value(x),
        "a private value of its key exchange");
  SecretBuffer copy{x.size()};
  std::ranges::copy(x, copy.fill().begin());
  return EphemeralKey{std::make_unique<State>(kind, std::move(copy))};
}

Bytes EphemeralKey::public_value() const { return state_->public_value(); }

std::optional<SecretBuffer> EphemeralKey::agree(Bytes peer_public_value) const {
  const KeyExchange kind = state_->kind;
  if (peer_public_value.size() != public_value_size(kind)) return std::nullopt;
  SecretBuffer shared{exchange_sizes(kind).agreed};
  const KeyPair own{.x = state_->x.reveal(), .y = state_->public_value()};
  const bool is_agreed = group_of(kind).agree(own, peer_public_value, shared.fill());
  openssl::wipe_stack_below();
  if (!is_agreed) return std::nullopt;
  return shared;
}

}  // namespace penstock::crypto
