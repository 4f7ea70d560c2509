// Identities in the handshake: what each side shows in its sealed parameters, and what the other
// makes of it (docs/protocol.md section 4).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>

#include "penstock/base/bytes.hpp"
#include "penstock/crypto/identity.hpp"
#include "penstock/crypto/primitives.hpp"
#include "penstock/ipc/messages.hpp"

namespace penstock::controlplane {

// Of a link that has identities: the site's own key, and the one that it takes for the peer's.
struct Identity {
  std::shared_ptr<const crypto::IdentityKey> own;
  IdentityPublic peer;
};

// Bytes 16 to 111 of the parameters.
struct IdentityProof {
  IdentityPublic key;
  crypto::Signature signature{};
  bool operator==(const IdentityProof&) const = default;
};

// Why what the far side shows is not the identity that this link wants.
enum class IdentityFault : std::uint8_t {
  missing,        // none is shown
  unexpected,     // one is shown, and this link has none
  other_key,      // not the pinned one
  bad_signature,  // the pinned one, but its holder did not sign this handshake, or not with us
};
// A sentence that says what to compare.
[[nodiscard]] std::string_view to_string(IdentityFault fault);

// What a signature is about besides the keys: T2 for message 3, T3 for message 4, and the message
// up to and with its public value.
struct SignedMessage {
  ipc::Role signer{};
  const crypto::Digest* transcript;
  Bytes head;
};

[[nodiscard]] IdentityProof prove(const Identity& identity, const SignedMessage& message);
// Everything but the signature, which costs as much as an exchange of keys. `wanted` is null on a
// link without identities.
[[nodiscard]] std::expected<void, IdentityFault> check_key(
    const Identity* wanted, const std::optional<IdentityProof>& shown);
[[nodiscard]] bool signature_holds(const Identity& wanted, const IdentityProof& shown,
                                   const SignedMessage& message);

}  // namespace penstock::controlplane
