#include "controlplane/handshake/message.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"
#include "penstock/crypto/primitives.hpp"

namespace penstock::controlplane {
namespace {

// Offsets: docs/protocol.md section 3.
constexpr std::size_t header_size = 4;
namespace at1 {
constexpr std::size_t key_id = 4;
constexpr std::size_t nonce_initiator = 12;
constexpr std::size_t highest = 44;
constexpr std::size_t count = 45;
constexpr std::size_t suites = 46;
}  // namespace at1
namespace at2 {
constexpr std::size_t h1 = 4;
constexpr std::size_t nonce_responder = 36;
constexpr std::size_t cookie = 68;
constexpr std::size_t suite = 96;
constexpr std::size_t reason = 98;
}  // namespace at2
namespace at3 {
constexpr std::size_t key_id = 4;
constexpr std::size_t nonce_initiator = 12;
constexpr std::size_t h1 = 44;
constexpr std::size_t nonce_responder = 76;
constexpr std::size_t cookie = 108;
constexpr std::size_t suite = 136;
constexpr std::size_t y = 140;
constexpr std::size_t sealed = 396;
}  // namespace at3
namespace at4 {
constexpr std::size_t nonce_initiator = 4;
constexpr std::size_t y = 36;
constexpr std::size_t sealed = 292;
}  // namespace at4
static_assert(at1::key_id == at3::key_id);
static_assert(at3::y + crypto::max_public_value == at3::sealed);
static_assert(at4::y + crypto::max_public_value == at4::sealed);
static_assert(at3::sealed + sealed_size <= message_body);

template <std::size_t N>
std::array<std::byte, N> take(MessageView message, std::size_t offset) {
  std::array<std::byte, N> out;
  std::ranges::copy(message.subspan(offset, N), out.begin());
  return out;
}

void put(Message& message, std::size_t offset, Bytes bytes) {
  std::ranges::copy(bytes, message.begin() + static_cast<std::ptrdiff_t>(offset));
}

Message begin(PacketType type) {
  Message message{};
  store_u8(message.data(), static_cast<std::uint8_t>(type));
  store_u8(&message[1], wire_version);
  return message;
}

Bytes body(MessageView message) { return message.first(message_body); }

void finish(Message& message, const crypto::HandshakeMac& key, Bytes transcript) {
  crypto::hmac_sha256(key.reveal(), {transcript, body(message)},
                      std::span{message}.last<message_mac>());
}

bool mac_holds(MessageView message, const crypto::HandshakeMac& key, Bytes transcript) {
  // The MAC of a message that somebody else chose is its forgery: not left on the stack.
  SecretBox<crypto::Digest> expected;
  crypto::hmac_sha256(key.reveal(), {transcript, body(message)}, *expected);
  return equal_constant_time(*expected, message.last<message_mac>());
}

bool is_3(MessageView message) {
  return load_u8(message.data()) == static_cast<std::uint8_t>(PacketType::handshake_3);
}
std::size_t sealed_offset(MessageView message) { return is_3(message) ? at3::sealed : at4::sealed; }

void seal_parameters(Message& message, Parameters parameters, const crypto::HandshakeSeal& seal,
                     const crypto::Digest& transcript, const Identity* identity) {
  const std::size_t offset = sealed_offset(message);
  if (identity != nullptr) parameters.identity = prove(*identity, signed_part(message, transcript));
  const ParameterBytes plain = write_parameters(parameters);
  crypto::aead_seal_once(seal.reveal(), std::span{message}.first(offset), plain,
                         std::span{message}.subspan(offset, sealed_size));
}

}  // namespace

std::expected<MessageView, Verdict> check_envelope(Bytes datagram, PacketType type) {
  if (datagram.size() != limits::handshake_message) return std::unexpected{Verdict::bad_length};
  const MessageView message = datagram.first<limits::handshake_message>();
  if (load_u8(message.data()) != static_cast<std::uint8_t>(type))
    return std::unexpected{Verdict::bad_type};
  if (load_u8(&message[1]) != wire_version) return std::unexpected{Verdict::bad_version};
  if (load_be16(&message[2]) != 0) return std::unexpected{Verdict::bad_header};
  return message;
}

Bytes claimed_key_id(Bytes datagram) {
  constexpr std::size_t size = sizeof(crypto::KeyId);
  return datagram.size() < header_size + size ? Bytes{} : datagram.subspan(at1::key_id, size);
}

Bytes claimed_h1(Bytes datagram) {
  constexpr std::size_t size = sizeof(crypto::Digest);
  return datagram.size() < header_size + size ? Bytes{} : datagram.subspan(at2::h1, size);
}

Bytes claimed_nonce(Bytes datagram) {
  constexpr std::size_t size = sizeof(crypto::Nonce);
  return datagram.size() < header_size + size ? Bytes{}
                                              : datagram.subspan(at4::nonce_initiator, size);
}

Message write_message_1(const Message1& fields, const crypto::HandshakeMac& k1) {
  check(!fields.suites.empty() && fields.suites.size() <= max_suites_offered,
        "a message 1 offers 1 to 16 suites");
  Message message = begin(PacketType::handshake_1);
  put(message, at1::key_id, fields.key_id);
  put(message, at1::nonce_initiator, fields.nonce_initiator);
  store_u8(&message[at1::highest], fields.highest);
  store_u8(&message[at1::count], static_cast<std::uint8_t>(fields.suites.size()));
  for (std::size_t i = 0; i < fields.suites.size(); ++i)
    store_be16(&message[at1::suites + 2 * i], fields.suites[i]);
  finish(message, k1, {});
  return message;
}

std::expected<Message1, Verdict> read_message_1(MessageView message,
                                                const crypto::HandshakeMac& k1) {
  if (!mac_holds(message, k1, {})) return std::unexpected{Verdict::bad_mac};
  const std::size_t count = load_u8(&message[at1::count]);
  if (count < 1 || count > max_suites_offered) return std::unexpected{Verdict::bad_fields};
  Message1 fields{.key_id = take<sizeof(crypto::KeyId)>(message, at1::key_id),
                  .nonce_initiator = take<sizeof(crypto::Nonce)>(message, at1::nonce_initiator),
                  .highest = load_u8(&message[at1::highest]),
                  .suites = {}};
  for (std::size_t i = 0; i < count; ++i)
    fields.suites.push_back(load_be16(&message[at1::suites + 2 * i]));
  return fields;
}

Message write_message_2(const Message2& fields, const crypto::HandshakeMac& k2) {
  Message message = begin(PacketType::handshake_2);
  put(message, at2::h1, fields.h1);
  put(message, at2::nonce_responder, fields.nonce_responder);
  put(message, at2::cookie, fields.cookie);
  store_be16(&message[at2::suite], fields.suite);
  store_u8(&message[at2::reason], static_cast<std::uint8_t>(fields.reason));
  finish(message, k2, {});
  return message;
}

std::expected<Message2, Verdict> read_message_2(MessageView message,
                                                const crypto::HandshakeMac& k2) {
  if (!mac_holds(message, k2, {})) return std::unexpected{Verdict::bad_mac};
  return Message2{.h1 = take<sizeof(crypto::Digest)>(message, at2::h1),
                  .nonce_responder = take<sizeof(crypto::Nonce)>(message, at2::nonce_responder),
                  .cookie = take<sizeof(Cookie)>(message, at2::cookie),
                  .suite = load_be16(&message[at2::suite]),
                  .reason = static_cast<Refusal>(load_u8(&message[at2::reason]))};
}

Message3 read_message_3(MessageView message) {
  return {.key_id = take<sizeof(crypto::KeyId)>(message, at3::key_id),
          .nonce_initiator = take<sizeof(crypto::Nonce)>(message, at3::nonce_initiator),
          .h1 = take<sizeof(crypto::Digest)>(message, at3::h1),
          .nonce_responder = take<sizeof(crypto::Nonce)>(message, at3::nonce_responder),
          .cookie = take<sizeof(Cookie)>(message, at3::cookie),
          .suite = load_be16(&message[at3::suite]),
          .y = take<crypto::max_public_value>(message, at3::y)};
}

Message4 read_message_4(MessageView message) {
  return {.nonce_initiator = take<sizeof(crypto::Nonce)>(message, at4::nonce_initiator),
          .y = take<crypto::max_public_value>(message, at4::y)};
}

Message write_message_3(const Message3& fields, const Parameters& parameters,
                        const crypto::HandshakeSeal& seal, const crypto::HandshakeMac& dhmac,
                        const crypto::Digest& transcript, const Identity* identity) {
  Message message = begin(PacketType::handshake_3);
  put(message, at3::key_id, fields.key_id);
  put(message, at3::nonce_initiator, fields.nonce_initiator);
  put(message, at3::h1, fields.h1);
  put(message, at3::nonce_responder, fields.nonce_responder);
  put(message, at3::cookie, fields.cookie);
  store_be16(&message[at3::suite], fields.suite);
  put(message, at3::y, fields.y);
  seal_parameters(message, parameters, seal, transcript, identity);
  finish(message, dhmac, transcript);
  return message;
}

Message write_message_4(const Message4& fields, const Parameters& parameters,
                        const crypto::HandshakeSeal& seal, const crypto::HandshakeMac& dhmac,
                        const crypto::Digest& transcript, const Identity* identity) {
  Message message = begin(PacketType::handshake_4);
  put(message, at4::nonce_initiator, fields.nonce_initiator);
  put(message, at4::y, fields.y);
  seal_parameters(message, parameters, seal, transcript, identity);
  finish(message, dhmac, transcript);
  return message;
}

bool proof_holds(MessageView message, const crypto::HandshakeMac& dhmac,
                 const crypto::Digest& transcript) {
  return mac_holds(message, dhmac, transcript);
}

std::expected<Parameters, Verdict> open_parameters(MessageView message,
                                                   const crypto::HandshakeSeal& seal) {
  const std::size_t offset = sealed_offset(message);
  ParameterBytes plain;
  if (!crypto::aead_open_once(seal.reveal(), message.first(offset),
                              message.subspan(offset, sealed_size), plain))
    return std::unexpected{Verdict::bad_seal};
  return read_parameters(plain);
}

SignedMessage signed_part(MessageView message, const crypto::Digest& transcript) {
  return {.signer = is_3(message) ? ipc::Role::initiator : ipc::Role::responder,
          .transcript = &transcript,
          .head = message.first(sealed_offset(message))};
}

PublicField to_field(Bytes public_value) {
  PublicField field{};
  std::ranges::copy(public_value, field.begin());
  return field;
}

crypto::Digest hash(MessageView message) { return crypto::sha256({message}); }

crypto::Digest chain(const crypto::Digest& before, MessageView message) {
  return crypto::sha256({before, message});
}

}  // namespace penstock::controlplane
