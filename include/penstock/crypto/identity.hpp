// A site's identity: an Ed25519 key (RFC 8032) of its own, which its peers pin, so that holding a
// link's shared key is not enough to pose as the site.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>

#include "penstock/base/bytes.hpp"
#include "penstock/base/identity_public.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::crypto {

using penstock::IdentityPublic;
using Signature = std::array<std::byte, 64>;

struct IdentitySeedPurpose;
// What RFC 8032 calls the private key: 32 random bytes from which all else follows.
using IdentitySeed = Secret<32, IdentitySeedPurpose>;

// The private half. Lives in secret memory and nowhere else between two signatures.
class IdentityKey {
 public:
  explicit IdentityKey(IdentitySeed seed);
  [[nodiscard]] static IdentityKey generate();

  [[nodiscard]] const IdentityPublic& public_key() const { return public_key_; }
  [[nodiscard]] const IdentitySeed& seed() const { return seed_; }
  // Of the parts, taken as concatenated. The same text always gets the same signature.
  [[nodiscard]] Signature sign(std::initializer_list<Bytes> parts) const;

 private:
  IdentitySeed seed_;
  IdentityPublic public_key_;
};

// Whether the holder of `key` signed the parts.
[[nodiscard]] bool is_signed_by(const IdentityPublic& key, std::initializer_list<Bytes> parts,
                                const Signature& signature);

}  // namespace penstock::crypto
