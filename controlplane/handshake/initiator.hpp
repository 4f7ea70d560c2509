// I's side of one attempt: bytes and a clock in, messages and an agreement out
// (docs/protocol.md section 6, table I). Lives limits::attempt_life.
#pragma once

#include <expected>
#include <optional>
#include <vector>

#include "penstock/base/clock.hpp"

#include "controlplane/handshake/agreement.hpp"
#include "controlplane/handshake/entropy.hpp"
#include "controlplane/handshake/link_keys.hpp"
#include "controlplane/handshake/message.hpp"

namespace penstock::controlplane {

class Initiator {
 public:
  enum class State : std::uint8_t { awaiting_2, awaiting_4, agreed, refused, expired };

  // `keys` are the link's for handshakes that this site starts; they outlive the attempt.
  // `offer` in order of preference, 1 to max_suites_offered. The tags of `own` are what the
  // config asks for, and fitted to the suite when it is known. `identity` is null on a link without
  // identities, and outlives the attempt.
  Initiator(const LinkKeys& keys, std::vector<Suite> offer, const Parameters& own, Entropy& entropy,
            Time now, const Identity* identity = nullptr);

  // What to send now and at every resend: message 1, then message 3, byte for byte.
  [[nodiscard]] const Message& outgoing() const { return outgoing_; }

  // Whether a message 2 or 4 says it is for this attempt.
  [[nodiscard]] bool is_for_us(Bytes datagram) const;
  // Takes a message 2 or 4. After a change to awaiting_4 send outgoing(). A Verdict means
  // dropped, and nothing changed.
  [[nodiscard]] std::expected<void, Verdict> on_message(Bytes datagram, Entropy& entropy, Time now);
  // True when outgoing() is to be sent again. Ends the attempt when its life is over.
  [[nodiscard]] bool on_timer(Time now);
  [[nodiscard]] Time deadline() const;

  [[nodiscard]] State state() const { return state_; }
  // Whose nonce is lower decides a tie, once this attempt has its message 2.
  [[nodiscard]] const crypto::Nonce& nonce() const { return nonce_; }
  [[nodiscard]] bool has_message_2() const { return state_ != State::awaiting_2; }
  // Why, in state refused; and whether it is this site that refuses.
  [[nodiscard]] Refusal refusal() const { return refusal_; }
  [[nodiscard]] bool is_refused_here() const { return is_refused_here_; }
  // What this site found wrong with the far side's identity.
  [[nodiscard]] std::optional<IdentityFault> identity_fault() const { return identity_fault_; }
  // Once, in state agreed.
  [[nodiscard]] Agreement take_agreement();

 private:
  [[nodiscard]] std::expected<void, Verdict> on_message_2(MessageView message, Entropy& entropy,
                                                          Time now);
  [[nodiscard]] std::expected<void, Verdict> on_message_4(MessageView message);
  // h_R holds: only now the exchange of keys.
  [[nodiscard]] std::expected<void, Verdict> take_proven_4(MessageView message, Bytes y_field);
  // Whether it is the message 2 by which R answers a message 3 whose identity it does not take.
  [[nodiscard]] bool refuses_identity(Bytes datagram) const;
  [[nodiscard]] std::expected<void, IdentityFault> check_identity(MessageView message_4,
                                                                  const Parameters& peer) const;
  [[nodiscard]] std::expected<Suite, Verdict> offered(std::uint16_t code) const;
  void send_message_3(MessageView message_2, const Message2& fields, Suite suite, Entropy& entropy);
  void refuse(Refusal why, bool here);
  void restart_resend(Time now);

  const LinkKeys* keys_;
  const Identity* identity_;
  std::vector<Suite> offer_;
  Parameters own_;  // as message 3 says them, from message 2 on
  State state_ = State::awaiting_2;
  Time expires_at_;
  Time resend_at_{};
  Time resend_wait_{};

  crypto::Nonce nonce_{};
  crypto::Digest h1_{};
  Message outgoing_{};

  // From message 2 on.
  Suite suite_;
  crypto::Nonce nonce_responder_{};
  crypto::Digest t3_{};
  std::optional<crypto::ExchangeKeys> exchange_keys_;
  std::optional<crypto::EphemeralKey> ephemeral_;
  unsigned bad_answers_ = 0;  // message 4s whose proof held and whose rest did not

  Refusal refusal_ = Refusal::none;
  bool is_refused_here_ = false;
  std::optional<IdentityFault> identity_fault_;
  std::optional<Agreement> agreement_;
};

}  // namespace penstock::controlplane
