#include "controlplane/handshake/initiator.hpp"

#include <algorithm>
#include <utility>

#include "penstock/base/check.hpp"

namespace penstock::controlplane {

Initiator::Initiator(const LinkKeys& keys, std::vector<Suite> offer, const Parameters& own,
                     Entropy& entropy, Time now, const Identity* identity)
    : keys_(&keys),
      identity_(identity),
      offer_(std::move(offer)),
      own_(own),
      expires_at_(now + limits::attempt_life) {
  entropy.fill(nonce_);
  Message1 fields{.key_id = keys.key_id, .nonce_initiator = nonce_, .suites = {}};
  for (const Suite suite : offer_) fields.suites.push_back(suite.code());
  outgoing_ = write_message_1(fields, keys.k1);
  h1_ = hash(outgoing_);
  restart_resend(now);
}

bool Initiator::is_for_us(Bytes datagram) const {
  if (datagram.empty()) return false;
  switch (static_cast<PacketType>(load_u8(datagram.data()))) {
    case PacketType::handshake_2:
      return std::ranges::equal(claimed_h1(datagram), h1_);
    case PacketType::handshake_4:
      return std::ranges::equal(claimed_nonce(datagram), nonce_);
    default:
      return false;
  }
}

std::expected<void, Verdict> Initiator::on_message(Bytes datagram, Entropy& entropy, Time now) {
  switch (state_) {
    case State::awaiting_2: {
      const auto message = check_envelope(datagram, PacketType::handshake_2);
      if (!message) return std::unexpected{message.error()};
      return on_message_2(*message, entropy, now);
    }
    case State::awaiting_4: {
      if (refuses_identity(datagram)) {
        refuse(Refusal::identity, false);
        return {};
      }
      const auto message = check_envelope(datagram, PacketType::handshake_4);
      if (!message) return std::unexpected{message.error()};
      return on_message_4(*message);
    }
    case State::agreed:
    case State::refused:
    case State::expired:
      break;
  }
  return std::unexpected{Verdict::not_ours};
}

std::expected<void, Verdict> Initiator::on_message_2(MessageView message, Entropy& entropy,
                                                     Time now) {
  const auto fields = read_message_2(message, keys_->k2);
  if (!fields) return std::unexpected{fields.error()};
  if (fields->h1 != h1_) return std::unexpected{Verdict::not_ours};
  if (fields->suite == 0) {
    refuse(fields->reason, false);
    return {};
  }
  const auto suite = offered(fields->suite);
  if (!suite) return std::unexpected{suite.error()};
  send_message_3(message, *fields, *suite, entropy);
  restart_resend(now);
  return {};
}

bool Initiator::refuses_identity(Bytes datagram) const {
  const auto message = check_envelope(datagram, PacketType::handshake_2);
  if (!message) return false;
  const auto fields = read_message_2(*message, keys_->k2);
  return fields && fields->h1 == h1_ && fields->suite == 0 && fields->reason == Refusal::identity;
}

std::expected<Suite, Verdict> Initiator::offered(std::uint16_t code) const {
  const auto found = std::ranges::find(offer_, code, &Suite::code);
  if (found == offer_.end()) return std::unexpected{Verdict::bad_suite};
  return *found;
}

void Initiator::send_message_3(MessageView message_2, const Message2& fields, Suite suite,
                               Entropy& entropy) {
  suite_ = suite;
  own_ = fitted(own_, suite.protection);
  nonce_responder_ = fields.nonce_responder;
  exchange_keys_ = crypto::derive_exchange_keys(keys_->link_key, nonce_, nonce_responder_);
  ephemeral_ = entropy.ephemeral_key(suite.key_exchange);
  const crypto::Digest t2 = chain(h1_, message_2);
  outgoing_ =
      write_message_3({.key_id = keys_->key_id,
                       .nonce_initiator = nonce_,
                       .h1 = h1_,
                       .nonce_responder = nonce_responder_,
                       .cookie = fields.cookie,
                       .suite = suite.code(),
                       .y = to_field(ephemeral_->public_value())},
                      own_, exchange_keys_->k3, exchange_keys_->dhmac_initiator, t2, identity_);
  t3_ = chain(t2, outgoing_);
  state_ = State::awaiting_4;
}

std::expected<void, Verdict> Initiator::on_message_4(MessageView message) {
  const Message4 fields = read_message_4(message);
  if (fields.nonce_initiator != nonce_) return std::unexpected{Verdict::not_ours};
  // Whoever holds the key can make answers that pass the proof and fail behind the exchange.
  if (bad_answers_ >= limits::max_bad_answers) return std::unexpected{Verdict::too_many};
  if (!proof_holds(message, exchange_keys_->dhmac_responder, t3_))
    return std::unexpected{Verdict::bad_proof};
  const auto taken = take_proven_4(message, Bytes{fields.y});
  if (!taken) ++bad_answers_;
  return taken;
}

std::expected<void, Verdict> Initiator::take_proven_4(MessageView message, Bytes y_field) {
  const Bytes y = y_field.first(crypto::public_value_size(suite_.key_exchange));
  const auto shared = ephemeral_->agree(y);
  if (!shared) return std::unexpected{Verdict::bad_public_value};
  crypto::SessionSecret secret =
      crypto::derive_session_secret(keys_->link_key, nonce_, nonce_responder_, shared->reveal());
  const auto peer = open_parameters(message, crypto::derive_message_4_seal(secret, t3_, y));
  if (!peer) return std::unexpected{peer.error()};

  if (peer->reason != Refusal::none) {
    refuse(peer->reason, false);
    return {};
  }
  if (const auto known = check_identity(message, *peer); !known) {
    identity_fault_ = known.error();
    refuse(Refusal::identity, true);
    return {};
  }
  const auto shape = penstock::controlplane::agree(own_, *peer, suite_.protection);
  if (!shape) {
    refuse(shape.error(), true);
    return {};
  }
  agreement_ = Agreement{.role = ipc::Role::initiator,
                         .suite = suite_,
                         .shape = *shape,
                         .own = own_,
                         .peer = *peer,
                         .secret = std::move(secret),
                         .session_id = chain(t3_, message)};
  ephemeral_.reset();
  exchange_keys_.reset();
  state_ = State::agreed;
  return {};
}

std::expected<void, IdentityFault> Initiator::check_identity(MessageView message_4,
                                                             const Parameters& peer) const {
  if (const auto key = check_key(identity_, peer.identity); !key) return key;
  if (identity_ != nullptr &&
      !signature_holds(*identity_, *peer.identity, signed_part(message_4, t3_)))
    return std::unexpected{IdentityFault::bad_signature};
  return {};
}

bool Initiator::on_timer(Time now) {
  if (state_ != State::awaiting_2 && state_ != State::awaiting_4) return false;
  if (now >= expires_at_) {
    state_ = State::expired;
    return false;
  }
  if (now < resend_at_) return false;
  resend_wait_ = std::min<Time>(2 * resend_wait_, limits::retransmit_last);
  resend_at_ = now + resend_wait_;
  return true;
}

Time Initiator::deadline() const { return std::min(resend_at_, expires_at_); }

Agreement Initiator::take_agreement() {
  check(state_ == State::agreed && agreement_.has_value(), "an attempt has one agreement");
  Agreement agreement = std::move(*agreement_);
  agreement_.reset();
  return agreement;
}

void Initiator::refuse(Refusal why, bool here) {
  refusal_ = why;
  is_refused_here_ = here;
  state_ = State::refused;
}

void Initiator::restart_resend(Time now) {
  resend_wait_ = limits::retransmit_first;
  resend_at_ = now + resend_wait_;
}

}  // namespace penstock::controlplane
