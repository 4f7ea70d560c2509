#include "controlplane/session/key_ring.hpp"

#include <algorithm>

namespace penstock::controlplane {
namespace {

std::optional<crypto::KeyFingerprint> fingerprint_of_old(
    const crypto::KeyFingerprint& newest, const std::optional<crypto::FileKey>& old_key) {
  if (!old_key) return std::nullopt;
  const crypto::KeyFingerprint old = crypto::fingerprint(*old_key);
  return old == newest ? std::nullopt : std::optional{old};
}

}  // namespace

RingKey::RingKey(const crypto::FileKey& file_key, const KeyContext& context)
    : fingerprint(crypto::fingerprint(file_key)),
      starting(derive_link_keys(file_key, context.site, context.peer)),
      answering(derive_link_keys(file_key, context.peer, context.site)),
      responder(answering, *context.suites, *context.entropy, context.identity) {}

void KeyRing::load(const crypto::FileKey& key, const std::optional<crypto::FileKey>& old_key,
                   const KeyContext& context) {
  clear();
  newest_ = std::make_unique<RingKey>(key, context);
  if (fingerprint_of_old(newest_->fingerprint, old_key))
    old_ = std::make_unique<RingKey>(*old_key, context);
}

void KeyRing::clear() {
  newest_.reset();
  old_.reset();
}

bool KeyRing::holds(const crypto::FileKey& key,
                    const std::optional<crypto::FileKey>& old_key) const {
  const crypto::KeyFingerprint newest = crypto::fingerprint(key);
  if (!newest_ || newest_->fingerprint != newest) return false;
  const auto old = fingerprint_of_old(newest, old_key);
  return old ? old_ && old_->fingerprint == *old : !old_;
}

RingKey* KeyRing::find(const crypto::KeyFingerprint& fingerprint) {
  for (RingKey* key : {newest(), old()})
    if (key != nullptr && key->fingerprint == fingerprint) return key;
  return nullptr;
}

bool KeyRing::has(const crypto::KeyFingerprint& fingerprint) const {
  return std::ranges::any_of(std::array{newest(), old()}, [&](const RingKey* key) {
    return key != nullptr && key->fingerprint == fingerprint;
  });
}

RingKey* KeyRing::named_by(Bytes datagram) {
  for (RingKey* key : {newest(), old()})
    if (key != nullptr && key->responder.is_for_us(datagram)) return key;
  return nullptr;
}

bool KeyRing::is_of_our_own(Bytes datagram) const {
  return std::ranges::any_of(std::array{newest(), old()}, [&](const RingKey* key) {
    return key != nullptr && std::ranges::equal(claimed_key_id(datagram), key->starting.key_id);
  });
}

}  // namespace penstock::controlplane
