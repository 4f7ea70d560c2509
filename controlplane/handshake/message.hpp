// The four messages of the handshake, byte for byte as in docs/protocol.md section 3:
// 1024 bytes each, a MAC in the last 32. Fields of messages 1 and 2 are readable only once
// their MAC holds. Those of 3 and 4 are needed to find the key of theirs: they are claims
// until h is checked.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/base/suite.hpp"
#include "penstock/crypto/key_schedule.hpp"
#include "penstock/wire/frame.hpp"

#include "controlplane/handshake/cookie.hpp"
#include "controlplane/handshake/parameters.hpp"
#include "controlplane/handshake/refusal.hpp"
#include "controlplane/handshake/verdict.hpp"

namespace penstock::controlplane {

using Message = std::array<std::byte, limits::handshake_message>;
using MessageView = std::span<const std::byte, limits::handshake_message>;

inline constexpr std::uint8_t highest_version = 1;
inline constexpr std::size_t message_mac = 32;
inline constexpr std::size_t message_body = limits::handshake_message - message_mac;

// Length, type, version and the zero field: what can be checked without a key.
[[nodiscard]] std::expected<MessageView, Verdict> check_envelope(Bytes datagram, PacketType type);

// The key id that a message 1 or 3 claims, or the H1 or nonce_I by which a message 2 or 4 is
// claimed. Empty where the datagram is too short to hold one.
[[nodiscard]] Bytes claimed_key_id(Bytes datagram);
[[nodiscard]] Bytes claimed_h1(Bytes datagram);
[[nodiscard]] Bytes claimed_nonce(Bytes datagram);

struct Message1 {
  crypto::KeyId key_id{};
  crypto::Nonce nonce_initiator{};
  std::uint8_t highest = highest_version;
  std::vector<std::uint16_t> suites;  // codes, 1 to max_suites_offered
};
[[nodiscard]] Message write_message_1(const Message1& fields, const crypto::HandshakeMac& k1);
[[nodiscard]] std::expected<Message1, Verdict> read_message_1(MessageView message,
                                                              const crypto::HandshakeMac& k1);

struct Message2 {
  crypto::Digest h1{};
  crypto::Nonce nonce_responder{};
  Cookie cookie{};
  std::uint16_t suite = 0;
  Refusal reason = Refusal::none;
};
[[nodiscard]] Message write_message_2(const Message2& fields, const crypto::HandshakeMac& k2);
[[nodiscard]] std::expected<Message2, Verdict> read_message_2(MessageView message,
                                                              const crypto::HandshakeMac& k2);

// y in its field of the longest value's width; shorter ones are followed by zeros.
using PublicField = std::array<std::byte, crypto::max_public_value>;
inline constexpr std::size_t sealed_size = parameters_size + crypto::aead_tag;

struct Message3 {
  crypto::KeyId key_id{};
  crypto::Nonce nonce_initiator{};
  crypto::Digest h1{};
  crypto::Nonce nonce_responder{};
  Cookie cookie{};
  std::uint16_t suite = 0;
  PublicField y{};
};
struct Message4 {
  crypto::Nonce nonce_initiator{};
  PublicField y{};
};
[[nodiscard]] Message3 read_message_3(MessageView message);
[[nodiscard]] Message4 read_message_4(MessageView message);

// Both seal the parameters behind everything else, then add h over `transcript` (T2 for
// message 3, T3 for message 4) and the body. With an `identity` they prove it among the parameters.
[[nodiscard]] Message write_message_3(const Message3& fields, const Parameters& parameters,
                                      const crypto::HandshakeSeal& seal,
                                      const crypto::HandshakeMac& dhmac,
                                      const crypto::Digest& transcript,
                                      const Identity* identity = nullptr);
[[nodiscard]] Message write_message_4(const Message4& fields, const Parameters& parameters,
                                      const crypto::HandshakeSeal& seal,
                                      const crypto::HandshakeMac& dhmac,
                                      const crypto::Digest& transcript,
                                      const Identity* identity = nullptr);

// Whether h holds: HMAC(dhmac, transcript || body).
[[nodiscard]] bool proof_holds(MessageView message, const crypto::HandshakeMac& dhmac,
                               const crypto::Digest& transcript);
// The parameters inside message 3 or 4.
[[nodiscard]] std::expected<Parameters, Verdict> open_parameters(MessageView message,
                                                                 const crypto::HandshakeSeal& seal);

// What an identity shown in message 3 or 4 has to have signed.
[[nodiscard]] SignedMessage signed_part(MessageView message, const crypto::Digest& transcript);

[[nodiscard]] PublicField to_field(Bytes public_value);

// H1 = hash(message 1); T2, T3, T4 = chain(the one before, the message).
[[nodiscard]] crypto::Digest hash(MessageView message);
[[nodiscard]] crypto::Digest chain(const crypto::Digest& before, MessageView message);

}  // namespace penstock::controlplane
