// The key schedule of a link, function by function as in docs/protocol.md section
// "Keys", whose names these are. Initiator and responder derive the same values.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "penstock/base/bytes.hpp"
#include "penstock/crypto/primitives.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::crypto {

struct FileKeyPurpose;
struct LinkKeyPurpose;
struct HmacPurpose;
struct SealPurpose;
struct SessionPurpose;
using FileKey = Secret<32, FileKeyPurpose>;        // K
using LinkKey = Secret<32, LinkKeyPurpose>;        // P, one for each direction of initiating
using HandshakeMac = Secret<32, HmacPurpose>;      // k1, k2, dhmac_I, dhmac_R
using HandshakeSeal = Secret<32, SealPurpose>;     // k3, and the key of sealed_R
using SessionSecret = Secret<32, SessionPurpose>;  // secret

// Names a key file's content without telling it: the first 16 bytes of
// HMAC(K, "penstock key fingerprint").
using KeyFingerprint = std::array<std::byte, 16>;
using KeyId = std::array<std::byte, 8>;
using Nonce = std::array<std::byte, 32>;

// K = SHA256(key file)
[[nodiscard]] FileKey derive_file_key(Bytes key_file);
[[nodiscard]] KeyFingerprint fingerprint(const FileKey& file_key);
// P = HMAC(K, "penstock link 1" || u8 len || name_I || u8 len || name_R)
[[nodiscard]] LinkKey derive_link_key(const FileKey& file_key, std::string_view initiator,
                                      std::string_view responder);
// The first 8 bytes of HMAC(P, "key id")
[[nodiscard]] KeyId derive_key_id(const LinkKey& link_key);
// k1 = HMAC(P, "message 1"), k2 = HMAC(P, "message 2")
[[nodiscard]] HandshakeMac derive_message_mac(const LinkKey& link_key, int message);

// dhmac_I || dhmac_R || k3 = PBKDF2-SHA256(P, nonce_I || nonce_R, 1)
struct ExchangeKeys {
  HandshakeMac dhmac_initiator;
  HandshakeMac dhmac_responder;
  HandshakeSeal k3;
};
[[nodiscard]] ExchangeKeys derive_exchange_keys(const LinkKey& link_key,
                                                const Nonce& nonce_initiator,
                                                const Nonce& nonce_responder);

// secret = PBKDF2-SHA256(P, nonce_I || nonce_R || y_IR, 1)
[[nodiscard]] SessionSecret derive_session_secret(const LinkKey& link_key,
                                                  const Nonce& nonce_initiator,
                                                  const Nonce& nonce_responder, Bytes shared);
// HKDF-Expand(secret, "message 4" || T3 || y_R)
[[nodiscard]] HandshakeSeal derive_message_4_seal(const SessionSecret& secret, const Digest& t3,
                                                  Bytes responder_public);

enum class Direction : std::uint8_t { initiator_to_responder = 0, responder_to_initiator = 1 };

// SA key = HKDF-Expand(secret, "penstock sa 1" || T4 || u8 direction || be16 lane || u8 purpose)
// purpose: 1 encrypt, 2 MAC; of path probes, lane 0: 3 encrypt, 4 MAC. `out` has the suite's key
// length.
void derive_encrypt_key(const SessionSecret& secret, const Digest& t4, Direction direction,
                        std::uint16_t lane, MutableBytes out);
void derive_mac_key(const SessionSecret& secret, const Digest& t4, Direction direction,
                    std::uint16_t lane, MutableBytes out);
void derive_probe_encrypt_key(const SessionSecret& secret, const Digest& t4, Direction direction,
                              MutableBytes out);
void derive_probe_mac_key(const SessionSecret& secret, const Digest& t4, Direction direction,
                          MutableBytes out);

}  // namespace penstock::crypto
