// Any datagram at the handshake's door, and what a holder of the key could put into messages
// and parameters: parsers never run past their bytes, nothing forged gets a Diffie-Hellman,
// and what is agreed is within the limits on both sides alike.
//
// Input: u8 way + 6 * protection + 36 * key exchange, then bytes. Way 0: the datagram as it is. 1
// to 4: the body of that message, under a good header and, where that says more, a good MAC. 5: two
// sets of parameters.
#include <algorithm>

#include "fuzz.hpp"
#include "penstock/crypto/primitives.hpp"

#include "controlplane/handshake/initiator.hpp"
#include "controlplane/handshake/responder.hpp"

using namespace penstock;
using namespace penstock::controlplane;
using namespace std::chrono_literals;

namespace {

constexpr unsigned ways = 6;
constexpr Time now = 100s;
constexpr std::size_t header = 4;

class CountingEntropy final : public Entropy {
 public:
  void fill(MutableBytes out) override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(state_ += 37);
  }
  crypto::EphemeralKey ephemeral_key(KeyExchange kind) override {
    ++keys_made;
    std::array<std::byte, crypto::max_private_value> bytes;
    const MutableBytes x = std::span{bytes}.first(crypto::private_value_size(kind));
    fill(x);
    return crypto::EphemeralKey::from_private(kind, x);
  }
  unsigned keys_made = 0;

 private:
  unsigned state_ = 0;
};

// A message of `type` whose body starts like `body`; room for a MAC at the end.
Message message_of(PacketType type, Bytes body) {
  Message message{};
  store_u8(message.data(), static_cast<std::uint8_t>(type));
  store_u8(&message[1], wire_version);
  const std::size_t length = std::min(body.size(), message_body - header);
  std::ranges::copy(body.first(length), message.begin() + header);
  return message;
}

void set_mac(Message& message, const crypto::HandshakeMac& key, Bytes transcript) {
  crypto::hmac_sha256(key.reveal(), {transcript, Bytes{message}.first(message_body)},
                      std::span{message}.last<message_mac>());
}

struct Ends {
  Suite suite;
  CountingEntropy entropy;
  LinkKeys keys = derive_link_keys(crypto::derive_file_key(as_bytes("fuzz")), "alpha", "beta");
  Responder responder{keys, {suite}, entropy};
  Initiator initiator{keys, {suite}, {.spi_base = Spi{64}, .frame_size = 1400}, entropy, now};
  Endpoint from{.address = {}, .port = 7670};
};

void any_datagram(Ends& ends, Bytes datagram) {
  (void)ends.responder.is_for_us(datagram);
  (void)ends.initiator.is_for_us(datagram);
  const auto answer = ends.responder.on_message_1(ends.from, datagram, ends.entropy, now);
  fuzz::require(!answer || datagram.size() == answer->size());
  fuzz::require(!ends.responder.on_message_3(ends.from, datagram, now));
  fuzz::require(!ends.initiator.on_message(datagram, ends.entropy, now));
  fuzz::require(ends.entropy.keys_made == 0);
}

void authentic_1(Ends& ends, Bytes body) {
  Message message = message_of(PacketType::handshake_1, body);
  std::ranges::copy(ends.keys.key_id, message.begin() + header);
  set_mac(message, ends.keys.k1, {});
  const auto answer = ends.responder.on_message_1(ends.from, message, ends.entropy, now);
  if (!answer) return;
  const auto fields = read_message_2(*answer, ends.keys.k2);
  fuzz::require(fields.has_value());
  fuzz::require((fields->suite == 0) == (fields->reason != Refusal::none));
}

void authentic_2(Ends& ends, Bytes body) {
  Message message = message_of(PacketType::handshake_2, body);
  const crypto::Digest h1 = hash(ends.initiator.outgoing());
  std::ranges::copy(h1, message.begin() + header);
  set_mac(message, ends.keys.k2, {});
  const bool is_taken = ends.initiator.on_message(message, ends.entropy, now).has_value();
  fuzz::require(is_taken == (ends.initiator.state() != Initiator::State::awaiting_2));
}

// The fields of 3 name the keys of its own checks: all of them come from the input.
void claimed_3(Ends& ends, Bytes body) {
  const Message message = message_of(PacketType::handshake_3, body);
  const Message3 fields = read_message_3(message);
  const auto keys = crypto::derive_exchange_keys(ends.keys.link_key, fields.nonce_initiator,
                                                 fields.nonce_responder);
  fuzz::require(!proof_holds(message, keys.dhmac_initiator, {}));
  (void)open_parameters(message, keys.k3);
  fuzz::require(!ends.responder.on_message_3(ends.from, message, now));
}

// Message 4 whose h_R holds, so that y and sealed_R come from the input.
void authentic_4(Ends& ends, Bytes body) {
  const crypto::Digest h1 = hash(ends.initiator.outgoing());
  const Message message_2 =
      ends.responder.on_message_1(ends.from, ends.initiator.outgoing(), ends.entropy, now).value();
  const crypto::Nonce nonce_responder = read_message_2(message_2, ends.keys.k2)->nonce_responder;
  fuzz::require(ends.initiator.on_message(message_2, ends.entropy, now).has_value());
  const crypto::Digest t3 = chain(chain(h1, message_2), ends.initiator.outgoing());
  const auto keys =
      crypto::derive_exchange_keys(ends.keys.link_key, ends.initiator.nonce(), nonce_responder);
  Message message = message_of(PacketType::handshake_4, body);
  std::ranges::copy(ends.initiator.nonce(), message.begin() + header);
  set_mac(message, keys.dhmac_responder, t3);
  fuzz::require(!ends.initiator.on_message(message, ends.entropy, now));
  fuzz::require(ends.initiator.state() == Initiator::State::awaiting_4);
}

void parameters(Protection protection, Bytes bytes) {
  std::array<std::byte, 2 * parameters_size> both{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), both.size())), both.begin());
  const Parameters own = read_parameters(std::span{both}.first<parameters_size>());
  const Parameters peer = read_parameters(std::span{both}.last<parameters_size>());
  fuzz::require(read_parameters(write_parameters(own)) == own);
  fuzz::require(fitted(fitted(own, protection), protection) == fitted(own, protection));
  const auto shape = agree(own, peer, protection);
  fuzz::require(shape == agree(peer, own, protection));
  if (!shape) return;
  fuzz::require(shape->tag == fit_tag(protection, shape->tag));
  fuzz::require(shape->tag >= own.min_tag && shape->tag >= peer.min_tag);
  fuzz::require(shape->size >= limits::min_frame_size && shape->size <= limits::max_frame_size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes body = fuzz::bytes(data, size).subspan(1);
  const std::size_t suite = data[0] / ways;
  const Protection protection = protections[suite % protections.size()].protection;
  const KeyExchangeTraits& exchange =
      key_exchanges[suite / protections.size() % key_exchanges.size()];
  Ends ends{.suite = {exchange.key_exchange, protection}};
  switch (data[0] % ways) {
    case 0:
      any_datagram(ends, body);
      break;
    case 1:
      authentic_1(ends, body);
      break;
    case 2:
      authentic_2(ends, body);
      break;
    case 3:
      claimed_3(ends, body);
      break;
    case 4:
      authentic_4(ends, body);
      break;
    default:
      parameters(protection, body);
      break;
  }
  return 0;
}
