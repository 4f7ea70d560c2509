// R's side of a link: stateless until a valid message 3, then a cache of what was answered
// (docs/protocol.md sections 3 and 6, table R).
#pragma once

#include <array>
#include <deque>
#include <expected>
#include <optional>
#include <variant>
#include <vector>

#include "penstock/base/clock.hpp"

#include "controlplane/handshake/agreement.hpp"
#include "controlplane/handshake/cookie.hpp"
#include "controlplane/handshake/entropy.hpp"
#include "controlplane/handshake/link_keys.hpp"
#include "controlplane/handshake/message.hpp"
#include "controlplane/handshake/signature_budget.hpp"

namespace penstock::controlplane {

// A message 3 that passed every check up to the tie. No Diffie-Hellman was done for it.
struct ProvenMessage3 {
  Message3 fields;
  Suite suite;
  Parameters peer;
  crypto::Digest t3{};
  crypto::HandshakeMac dhmac_responder;
};

// One whose sender holds the shared key and not the identity that the link wants. No
// Diffie-Hellman was done for it, and nothing is kept.
struct RefusedMessage3 {
  Message message_2{};  // says so
  IdentityFault fault{};
};

// Message 4, and the session if this site does not refuse it.
struct Answer {
  Message message{};
  Refusal refusal = Refusal::none;
  std::optional<Agreement> agreement;
};

class Responder {
 public:
  // Accepted nonces remembered at once: over a cookie's life of 10 s this bounds one who
  // holds the key to 10 Diffie-Hellmans a second.
  static constexpr std::size_t max_remembered = 100;

  // `keys` are the link's for handshakes that the peer starts; they outlive the responder.
  // `accepts` in order of preference. `identity` is null on a link without identities, and outlives
  // the responder.
  Responder(const LinkKeys& keys, std::vector<Suite> accepts, Entropy& entropy,
            const Identity* identity = nullptr);

  // Whether a message 1 or 3 says it is for this link.
  [[nodiscard]] bool is_for_us(Bytes datagram) const;

  // The message 2 to send back. Keeps nothing.
  [[nodiscard]] std::expected<Message, Verdict> on_message_1(const Route& from, Bytes datagram,
                                                             Entropy& entropy, Time now) const;
  // A message 4 to send again, or proof that the sender holds the key and the identity, or the key
  // alone.
  using Message3Result = std::variant<Message, ProvenMessage3, RefusedMessage3>;
  [[nodiscard]] std::expected<Message3Result, Verdict> on_message_3(const Route& from,
                                                                    Bytes datagram, Time now);
  // Does the Diffie-Hellman and takes the nonce: from now on only the identical message 3
  // is listened to. A refusal is to be sent at once; an agreement's message is sent, and
  // given to answered(), when its session is installed.
  // The tags of `wanted` are what the config asks for; what is said is fitted to the suite.
  [[nodiscard]] std::expected<Answer, Verdict> answer(const ProvenMessage3& proven,
                                                      const Parameters& wanted, Entropy& entropy,
                                                      Time now);
  // Repeats of the message 3 with this nonce get `message_4` from now on.
  void answered(const crypto::Nonce& nonce_initiator, const Message& message_4);

 private:
  struct Remembered {
    crypto::Nonce nonce_initiator;
    crypto::Digest t3;  // names the message 3: T3 covers it whole
    Time until;
    std::optional<Message> message_4;
    unsigned repeats_left;
  };

  struct Transcripts {
    const crypto::Digest& t2;
    const crypto::Digest& t3;
  };

  [[nodiscard]] std::expected<Suite, Refusal> choose(const Message1& offer) const;
  // Empty when it shows the identity that the link wants.
  [[nodiscard]] std::expected<std::optional<IdentityFault>, Verdict> identity_fault(
      const Route& from, MessageView message_3, const Parameters& peer, const Transcripts& seen,
      Time now);
  [[nodiscard]] RefusedMessage3 refusal_of(const Message3& fields, IdentityFault fault) const;
  [[nodiscard]] std::expected<Message, Verdict> repeat(Remembered& remembered,
                                                       const crypto::Digest& t3);
  [[nodiscard]] Remembered* find(const crypto::Nonce& nonce_initiator);
  void forget_old(Time now);

  const LinkKeys* keys_;
  const Identity* identity_;
  std::vector<Suite> accepts_;
  CookieJar cookies_;
  std::deque<Remembered> remembered_;  // oldest first
  // One for each way: who floods in the clear keeps no rekey inside a session from its own.
  SignatureBudget checks_in_the_clear_;
  SignatureBudget checks_inside_;
  // T3 of the last messages 3 whose signature held. The tie drops some of them and remembers
  // nothing: who repeats those in their sender's name spends no more checks.
  std::array<std::optional<crypto::Digest>, 4> vouched_;
};

}  // namespace penstock::controlplane
