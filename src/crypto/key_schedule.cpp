#include "penstock/crypto/key_schedule.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"
#include "penstock/base/limits.hpp"

namespace penstock::crypto {
namespace {

enum class Purpose : std::uint8_t { encrypt = 1, mac = 2, probe_encrypt = 3, probe_mac = 4 };

std::array<std::byte, 1> u8(std::size_t value) {
  check(value <= 0xff, "does not fit one byte");
  return {static_cast<std::byte>(value)};
}

std::array<std::byte, 2> be16(std::uint16_t value) {
  std::array<std::byte, 2> out{};
  store_be16(out.data(), value);
  return out;
}

void derive_sa_key(const SessionSecret& secret, const Digest& t4, Direction direction,
                   std::uint16_t lane, Purpose purpose, MutableBytes out) {
  hkdf_expand_sha256(secret.reveal(),
                     {as_bytes("penstock sa 1"), t4, u8(static_cast<std::size_t>(direction)),
                      be16(lane), u8(static_cast<std::size_t>(purpose))},
                     out);
}

}  // namespace

FileKey derive_file_key(Bytes key_file) {
  FileKey out;
  Digest digest = sha256({key_file});
  std::ranges::copy(digest, out.fill().begin());
  wipe(digest);
  return out;
}

KeyFingerprint fingerprint(const FileKey& file_key) {
  HandshakeMac whole;  // of which the rest is never used
  hmac_sha256(file_key.reveal(), {as_bytes("penstock key fingerprint")}, whole.fill());
  KeyFingerprint out{};
  std::ranges::copy(whole.reveal().first<out.size()>(), out.begin());
  return out;
}

LinkKey derive_link_key(const FileKey& file_key, std::string_view initiator,
                        std::string_view responder) {
  LinkKey out;
  hmac_sha256(file_key.reveal(),
              {as_bytes("penstock link 1"), u8(initiator.size()), as_bytes(initiator),
               u8(responder.size()), as_bytes(responder)},
              out.fill());
  return out;
}

KeyId derive_key_id(const LinkKey& link_key) {
  // The rest of this output is never used, but it comes from P: secret until cut.
  HandshakeMac whole;
  hmac_sha256(link_key.reveal(), {as_bytes("key id")}, whole.fill());
  KeyId out{};
  std::ranges::copy(whole.reveal().first<out.size()>(), out.begin());
  return out;
}

HandshakeMac derive_message_mac(const LinkKey& link_key, int message) {
  check(message == 1 || message == 2, "only messages 1 and 2 have a MAC key of their own");
  HandshakeMac out;
  hmac_sha256(link_key.reveal(), {as_bytes(message == 1 ? "message 1" : "message 2")}, out.fill());
  return out;
}

ExchangeKeys derive_exchange_keys(const LinkKey& link_key, const Nonce& nonce_initiator,
                                  const Nonce& nonce_responder) {
  SecretBuffer keys{96};
  pbkdf2_sha256(link_key.reveal(), {nonce_initiator, nonce_responder}, keys.fill());
  const auto bytes = std::span<const std::byte, 96>{keys.reveal()};
  return {.dhmac_initiator = HandshakeMac{bytes.subspan<0, 32>()},
          .dhmac_responder = HandshakeMac{bytes.subspan<32, 32>()},
          .k3 = HandshakeSeal{bytes.subspan<64, 32>()}};
}

SessionSecret derive_session_secret(const LinkKey& link_key, const Nonce& nonce_initiator,
                                    const Nonce& nonce_responder, Bytes shared) {
  SessionSecret out;
  pbkdf2_sha256(link_key.reveal(), {nonce_initiator, nonce_responder, shared}, out.fill());
  return out;
}

HandshakeSeal derive_message_4_seal(const SessionSecret& secret, const Digest& t3,
                                    Bytes responder_public) {
  HandshakeSeal out;
  hkdf_expand_sha256(secret.reveal(), {as_bytes("message 4"), t3, responder_public}, out.fill());
  return out;
}

void derive_encrypt_key(const SessionSecret& secret, const Digest& t4, Direction direction,
                        std::uint16_t lane, MutableBytes out) {
  derive_sa_key(secret, t4, direction, lane, Purpose::encrypt, out);
}

void derive_mac_key(const SessionSecret& secret, const Digest& t4, Direction direction,
                    std::uint16_t lane, MutableBytes out) {
  derive_sa_key(secret, t4, direction, lane, Purpose::mac, out);
}

void derive_probe_encrypt_key(const SessionSecret& secret, const Digest& t4, Direction direction,
                              MutableBytes out) {
  derive_sa_key(secret, t4, direction, 0, Purpose::probe_encrypt, out);
}

void derive_probe_mac_key(const SessionSecret& secret, const Digest& t4, Direction direction,
                          MutableBytes out) {
  derive_sa_key(secret, t4, direction, 0, Purpose::probe_mac, out);
}

}  // namespace penstock::crypto
