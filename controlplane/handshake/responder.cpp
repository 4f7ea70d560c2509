#include "controlplane/handshake/responder.hpp"

#include <algorithm>
#include <utility>

namespace penstock::controlplane {
namespace {

CookieClaim claim_of(const Route& from, const Message3& fields) {
  return {.from = from,
          .key_id = fields.key_id,
          .h1 = fields.h1,
          .nonce_responder = fields.nonce_responder,
          .suite = fields.suite};
}

// T2, from the message 2 that these fields say they answer.
crypto::Digest rebuild_t2(const Message3& fields, const crypto::HandshakeMac& k2) {
  return chain(fields.h1, write_message_2({.h1 = fields.h1,
                                           .nonce_responder = fields.nonce_responder,
                                           .cookie = fields.cookie,
                                           .suite = fields.suite},
                                          k2));
}

}  // namespace

Responder::Responder(const LinkKeys& keys, std::vector<Suite> accepts, Entropy& entropy,
                     const Identity* identity)
    : keys_(&keys), identity_(identity), accepts_(std::move(accepts)), cookies_(entropy) {}

bool Responder::is_for_us(Bytes datagram) const {
  return std::ranges::equal(claimed_key_id(datagram), keys_->key_id);
}

std::expected<Message, Verdict> Responder::on_message_1(const Route& from, Bytes datagram,
                                                        Entropy& entropy, Time now) const {
  const auto message = check_envelope(datagram, PacketType::handshake_1);
  if (!message) return std::unexpected{message.error()};
  if (!is_for_us(datagram)) return std::unexpected{Verdict::unknown_key};
  const auto offer = read_message_1(*message, keys_->k1);
  if (!offer) return std::unexpected{offer.error()};

  Message2 fields{.h1 = hash(*message)};
  if (const auto suite = choose(*offer)) {
    fields.suite = suite->code();
    entropy.fill(fields.nonce_responder);
    fields.cookie = cookies_.make({.from = from,
                                   .key_id = keys_->key_id,
                                   .h1 = fields.h1,
                                   .nonce_responder = fields.nonce_responder,
                                   .suite = fields.suite},
                                  now);
  } else {
    fields.reason = suite.error();
  }
  return write_message_2(fields, keys_->k2);
}

std::expected<Suite, Refusal> Responder::choose(const Message1& offer) const {
  if (offer.highest < highest_version) return std::unexpected{Refusal::version};
  for (const Suite suite : accepts_)
    if (std::ranges::find(offer.suites, suite.code()) != offer.suites.end()) return suite;
  return std::unexpected{Refusal::suite};
}

std::expected<Responder::Message3Result, Verdict> Responder::on_message_3(const Route& from,
                                                                          Bytes datagram,
                                                                          Time now) {
  const auto message = check_envelope(datagram, PacketType::handshake_3);
  if (!message) return std::unexpected{message.error()};
  if (!is_for_us(datagram)) return std::unexpected{Verdict::unknown_key};
  const Message3 fields = read_message_3(*message);
  if (const auto cookie = cookies_.check(fields.cookie, claim_of(from, fields), now); !cookie)
    return std::unexpected{cookie.error()};

  const crypto::Digest t2 = rebuild_t2(fields, keys_->k2);
  const crypto::Digest t3 = chain(t2, *message);
  forget_old(now);
  if (Remembered* known = find(fields.nonce_initiator)) return repeat(*known, t3);

  crypto::ExchangeKeys keys =
      crypto::derive_exchange_keys(keys_->link_key, fields.nonce_initiator, fields.nonce_responder);
  // Its cookie is for a message 2 of ours, so the far side had another message 1 or 2 before it.
  if (!proof_holds(*message, keys.dhmac_initiator, t2)) return std::unexpected{Verdict::downgrade};
  const auto peer = open_parameters(*message, keys.k3);
  if (!peer) return std::unexpected{peer.error()};
  const auto suite = std::ranges::find(accepts_, fields.suite, &Suite::code);
  if (suite == accepts_.end()) return std::unexpected{Verdict::bad_suite};
  const auto fault = identity_fault(from, *message, *peer, {.t2 = t2, .t3 = t3}, now);
  if (!fault) return std::unexpected{fault.error()};
  if (*fault) return refusal_of(fields, **fault);
  return ProvenMessage3{.fields = fields,
                        .suite = *suite,
                        .peer = *peer,
                        .t3 = t3,
                        .dhmac_responder = std::move(keys.dhmac_responder)};
}

RefusedMessage3 Responder::refusal_of(const Message3& fields, IdentityFault fault) const {
  return {.message_2 = write_message_2({.h1 = fields.h1, .reason = Refusal::identity}, keys_->k2),
          .fault = fault};
}

std::expected<std::optional<IdentityFault>, Verdict> Responder::identity_fault(
    const Route& from, MessageView message_3, const Parameters& peer, const Transcripts& seen,
    Time now) {
  if (const auto key = check_key(identity_, peer.identity); !key) return key.error();
  if (identity_ == nullptr) return std::nullopt;
  if (std::ranges::find(vouched_, seen.t3) != vouched_.end()) return std::nullopt;
  SignatureBudget& budget =
      std::holds_alternative<Endpoint>(from) ? checks_in_the_clear_ : checks_inside_;
  if (!budget.take(now)) return std::unexpected{Verdict::too_many};
  if (!signature_holds(*identity_, *peer.identity, signed_part(message_3, seen.t2)))
    return IdentityFault::bad_signature;
  std::ranges::rotate(vouched_, vouched_.begin() + 1);
  vouched_.back() = seen.t3;
  return std::nullopt;
}

std::expected<Answer, Verdict> Responder::answer(const ProvenMessage3& proven,
                                                 const Parameters& wanted, Entropy& entropy,
                                                 Time now) {
  forget_old(now);
  if (remembered_.size() >= max_remembered) return std::unexpected{Verdict::too_many};
  const Message3& asked = proven.fields;
  remembered_.push_back({.nonce_initiator = asked.nonce_initiator,
                         .t3 = proven.t3,
                         .until = now + limits::cookie_life,
                         .message_4 = {},
                         .repeats_left = limits::max_answer_repeats});

  const crypto::EphemeralKey ephemeral = entropy.ephemeral_key(proven.suite.key_exchange);
  const std::size_t y_size = crypto::public_value_size(proven.suite.key_exchange);
  const auto shared = ephemeral.agree(Bytes{asked.y}.first(y_size));
  if (!shared) return std::unexpected{Verdict::bad_public_value};
  crypto::SessionSecret secret = crypto::derive_session_secret(
      keys_->link_key, asked.nonce_initiator, asked.nonce_responder, shared->reveal());
  const crypto::HandshakeSeal k4 =
      crypto::derive_message_4_seal(secret, proven.t3, ephemeral.public_value());

  const Parameters own = fitted(wanted, proven.suite.protection);
  const auto shape = agree(own, proven.peer, proven.suite.protection);
  const Refusal refusal = shape ? Refusal::none : shape.error();
  const Parameters said =
      shape ? own : Parameters{.reason = refusal, .tag = 0, .min_tag = 0, .lanes = 0};
  Answer answer{.refusal = refusal, .agreement = {}};
  answer.message = write_message_4(
      {.nonce_initiator = asked.nonce_initiator, .y = to_field(ephemeral.public_value())}, said, k4,
      proven.dhmac_responder, proven.t3, shape ? identity_ : nullptr);
  if (!shape) {
    answered(asked.nonce_initiator, answer.message);
    return answer;
  }
  answer.agreement = Agreement{.role = ipc::Role::responder,
                               .suite = proven.suite,
                               .shape = *shape,
                               .own = own,
                               .peer = proven.peer,
                               .secret = std::move(secret),
                               .session_id = chain(proven.t3, answer.message)};
  return answer;
}

void Responder::answered(const crypto::Nonce& nonce_initiator, const Message& message_4) {
  if (Remembered* known = find(nonce_initiator)) known->message_4 = message_4;
}

std::expected<Message, Verdict> Responder::repeat(Remembered& remembered,
                                                  const crypto::Digest& t3) {
  if (remembered.t3 != t3) return std::unexpected{Verdict::altered_repeat};
  if (!remembered.message_4 || remembered.repeats_left == 0)
    return std::unexpected{Verdict::repeat_unanswered};
  --remembered.repeats_left;
  return *remembered.message_4;
}

Responder::Remembered* Responder::find(const crypto::Nonce& nonce_initiator) {
  const auto found = std::ranges::find(remembered_, nonce_initiator, &Remembered::nonce_initiator);
  return found == remembered_.end() ? nullptr : &*found;
}

void Responder::forget_old(Time now) {
  while (!remembered_.empty() && remembered_.front().until <= now) remembered_.pop_front();
}

}  // namespace penstock::controlplane
