#include "penstock/crypto/key_exchange.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "diffie_hellman.hpp"
#include "penstock/base/check.hpp"
#include "penstock/crypto/primitives.hpp"

namespace penstock::crypto {
namespace {

struct PrivatePurpose;
using PrivateKey = Secret<32, PrivatePurpose>;

}  // namespace

struct EphemeralKey::State {
  KeyExchange kind;
  PrivateKey x;
  std::array<std::byte, max_public_value> y{};

  State(KeyExchange group, PrivateKey key) : kind(group), x(std::move(key)) {
    if (kind == KeyExchange::x25519)
      x25519::public_value(x.reveal(), std::span{y}.first<32>());
    else
      modp2048::public_value(x.reveal(), y);
  }
};

EphemeralKey::EphemeralKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
EphemeralKey::EphemeralKey(EphemeralKey&&) noexcept = default;
EphemeralKey& EphemeralKey::operator=(EphemeralKey&&) noexcept = default;
EphemeralKey::~EphemeralKey() = default;

EphemeralKey EphemeralKey::generate(KeyExchange kind) {
  PrivateKey x;
  fill_random(x.fill());
  return EphemeralKey{std::make_unique<State>(kind, std::move(x))};
}

EphemeralKey EphemeralKey::from_private(KeyExchange kind, std::span<const std::byte, 32> x) {
  return EphemeralKey{std::make_unique<State>(kind, PrivateKey{x})};
}

Bytes EphemeralKey::public_value() const {
  return Bytes{state_->y}.first(public_value_size(state_->kind));
}

std::optional<SecretBuffer> EphemeralKey::agree(Bytes peer_public_value) const {
  const std::size_t size = public_value_size(state_->kind);
  if (peer_public_value.size() != size) return std::nullopt;
  SecretBuffer shared{size};
  const bool agreed = state_->kind == KeyExchange::x25519
                          ? x25519::agree(state_->x.reveal(), peer_public_value.first<32>(),
                                          shared.fill().first<32>())
                          : modp2048::agree(state_->x.reveal(), peer_public_value.first<256>(),
                                            shared.fill().first<256>());
  if (!agreed) return std::nullopt;
  return shared;
}

}  // namespace penstock::crypto
