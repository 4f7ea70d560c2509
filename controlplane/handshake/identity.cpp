#include "controlplane/handshake/identity.hpp"

namespace penstock::controlplane {
namespace {

Bytes label(ipc::Role signer) {
  return as_bytes(signer == ipc::Role::initiator ? "penstock identity I" : "penstock identity R");
}

// The two keys of a handshake as each side believes them, in the order of their roles.
struct Keys {
  const IdentityPublic& initiator;
  const IdentityPublic& responder;
};
Keys in_order(ipc::Role signer, const IdentityPublic& signers, const IdentityPublic& other) {
  if (signer == ipc::Role::initiator) return {.initiator = signers, .responder = other};
  return {.initiator = other, .responder = signers};
}

}  // namespace

std::string_view to_string(IdentityFault fault) {
  switch (fault) {
    case IdentityFault::missing:
      return "the far side shows no identity and peer_identity is set here; set identity_file and "
             "peer_identity there too, unless somebody else holds the shared key";
    case IdentityFault::unexpected:
      return "the far side shows an identity and none is configured here; set identity_file and "
             "peer_identity, or take both out there";
    case IdentityFault::other_key:
      return "the far side shows another identity than peer_identity; compare it with what "
             "penstock identity show prints there, unless somebody else holds the shared key";
    case IdentityFault::bad_signature:
      return "the far side's signature does not hold; compare its peer_identity with what penstock "
             "identity show prints here, unless somebody else holds the shared key";
  }
  return "the identities do not fit";
}

IdentityProof prove(const Identity& identity, const SignedMessage& message) {
  const IdentityPublic& own = identity.own->public_key();
  const Keys keys = in_order(message.signer, own, identity.peer);
  return {.key = own,
          .signature = identity.own->sign({label(message.signer), *message.transcript, message.head,
                                           keys.initiator.bytes, keys.responder.bytes})};
}

std::expected<void, IdentityFault> check_key(const Identity* wanted,
                                             const std::optional<IdentityProof>& shown) {
  if (wanted == nullptr && shown) return std::unexpected{IdentityFault::unexpected};
  if (wanted == nullptr) return {};
  if (!shown) return std::unexpected{IdentityFault::missing};
  if (shown->key != wanted->peer) return std::unexpected{IdentityFault::other_key};
  return {};
}

bool signature_holds(const Identity& wanted, const IdentityProof& shown,
                     const SignedMessage& message) {
  const Keys keys = in_order(message.signer, shown.key, wanted.own->public_key());
  return crypto::is_signed_by(shown.key,
                              {label(message.signer), *message.transcript, message.head,
                               keys.initiator.bytes, keys.responder.bytes},
                              shown.signature);
}

}  // namespace penstock::controlplane
