// What the far side's handshake messages do to a link.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {

bool LinkController::State::datagram(const Route& from, Bytes bytes, Time now) {
  if (bytes.empty() || !facts_) return false;
  if (const auto* const inside = std::get_if<ipc::SessionId>(&from)) {
    const Session* const session = sessions_.find(*inside);
    if (session == nullptr || !carries_handshakes(*session)) return false;
  }
  const auto type = static_cast<PacketType>(load_u8(bytes.data()));
  switch (type) {
    case PacketType::handshake_1:
    case PacketType::handshake_3: {
      RingKey* const key = keys_.named_by(bytes);
      if (key == nullptr) return is_refused_inside(from, bytes, now);
      if (type == PacketType::handshake_1)
        message_1(*key, from, bytes, now);
      else
        message_3(*key, from, bytes, now);
      return true;
    }
    case PacketType::handshake_2:
    case PacketType::handshake_4:
      if (!attempt_ || !is_route_of_attempt(from) || !attempt_->initiator.is_for_us(bytes))
        return is_refused_inside(from, bytes, now);
      message_2_or_4(bytes, now);
      return true;
    case PacketType::data:
    case PacketType::path_probe:
      break;
  }
  return false;
}

// In the clear an answer may come from anywhere: its source is under no MAC, and is not used.
bool LinkController::State::is_route_of_attempt(const Route& from) const {
  return std::holds_alternative<Endpoint>(from) ? std::holds_alternative<Endpoint>(attempt_->route)
                                                : from == attempt_->route;
}

void LinkController::State::unclaimed(const Endpoint& from, Bytes bytes, Time now) {
  const bool is_theirs = from == address_.endpoint() || from == expected_peer();
  if (!keys_.is_empty() && is_theirs) refuse_unclaimed(bytes, now);
}

// What comes through our own session is no other link's.
bool LinkController::State::is_refused_inside(const Route& from, Bytes bytes, Time now) {
  if (!std::holds_alternative<ipc::SessionId>(from)) return false;
  refuse_unclaimed(bytes, now);
  return true;
}

void LinkController::State::refuse_unclaimed(Bytes bytes, Time now) {
  const auto type =
      bytes.empty() ? PacketType::data : static_cast<PacketType>(load_u8(bytes.data()));
  if (const auto message = check_envelope(bytes, type); !message)
    return count_refused(message.error(), now);
  if (type == PacketType::handshake_2 || type == PacketType::handshake_4)
    return count_refused(Verdict::not_ours, now);
  // Whoever starts handshakes as we do has our name, or reflects our own message: either says
  // nothing about keys.
  if (keys_.is_of_our_own(bytes)) return view_.same_name(now);
  count_refused(Verdict::unknown_key, now);
}

void LinkController::State::message_1(RingKey& key, const Route& from, Bytes bytes, Time now) {
  const auto message_2 = key.responder.on_message_1(from, bytes, *entropy_, now);
  if (!message_2) return count_refused(message_2.error(), now);
  send(from, *message_2);
}

void LinkController::State::message_3(RingKey& key, const Route& from, Bytes bytes, Time now) {
  const auto result = key.responder.on_message_3(from, bytes, now);
  if (!result) return count_refused(result.error(), now);
  if (const Message* message_4 = std::get_if<Message>(&*result)) return send(from, *message_4);
  if (const RefusedMessage3* refused = std::get_if<RefusedMessage3>(&*result)) {
    send(from, refused->message_2);
    return wrong_identity(refused->fault, now);
  }
  const ProvenMessage3& proven = std::get<ProvenMessage3>(*result);
  if (own_attempt_wins(proven.fields.nonce_initiator)) return;
  attempt_.reset();
  answer(key, from, proven, now);
}

// Not a failed handshake: who holds the key alone neither ends our attempts nor delays them.
void LinkController::State::wrong_identity(IdentityFault fault, Time now) {
  count_refused(Verdict::bad_identity, now);
  view_.peer_refused(fmt::format("refused here: {}", to_string(fault)), now);
}

bool LinkController::State::own_attempt_wins(const crypto::Nonce& theirs) const {
  // What we started is agreed already, and about to be installed.
  const bool is_installing = std::ranges::any_of(
      pending_, [](const Pending& pending) { return !pending.reply.has_value(); });
  if (is_installing) return true;
  return attempt_ && attempt_->initiator.has_message_2() && attempt_->initiator.nonce() < theirs;
}

void LinkController::State::answer(RingKey& key, const Route& from, const ProvenMessage3& proven,
                                   Time now) {
  std::optional<SlotLease> slot = slots_->take();
  HandshakeStory story{.cause = HandshakeCause::peer,
                       .role = ipc::Role::responder,
                       .is_inside = std::holds_alternative<ipc::SessionId>(from),
                       .started = now,
                       .suite = proven.suite};
  if (!slot) return failed(story, HandshakeFailure::no_slot, std::string{no_slot}, now);
  auto answer = key.responder.answer(proven, own_parameters(slot->base()), *entropy_, now);
  if (!answer) return count_refused(answer.error(), now);
  if (!answer->agreement) {
    refused(story, HandshakeFailure::refused_here, answer->refusal,
            "refused here: " + explain(answer->refusal), now);
    send(from, answer->message);
    return;
  }
  install(*answer->agreement,
          {.slot = std::move(*slot), .peer = peer_on(from), .story = story, .key = key.fingerprint},
          Pending::Reply{.to = from,
                         .key = key.fingerprint,
                         .nonce_initiator = proven.fields.nonce_initiator,
                         .message_4 = answer->message},
          now);
}

void LinkController::State::message_2_or_4(Bytes bytes, Time now) {
  Initiator& initiator = attempt_->initiator;
  if (const auto taken = initiator.on_message(bytes, *entropy_, now); !taken)
    return count_refused(taken.error(), now);
  attempt_->is_answered = true;
  switch (initiator.state()) {
    case Initiator::State::awaiting_4:
      return send(attempt_->route, initiator.outgoing());
    case Initiator::State::agreed:
      // Towards the endpoint that we chose: no MAC covers where a message 4 came from.
      install(initiator.take_agreement(),
              {.slot = std::move(attempt_->slot),
               .peer = peer_on(attempt_->route),
               .story = attempt_->story,
               .key = attempt_->key},
              std::nullopt, now);
      attempt_.reset();
      return;
    case Initiator::State::refused:
      return attempt_over(now);
    case Initiator::State::awaiting_2:
    case Initiator::State::expired:
      return;
  }
}

void LinkController::State::count_refused(Verdict verdict, Time now) {
  book_.refuse_message(verdict);
  switch (verdict) {
    case Verdict::unknown_key:
      return view_.foreign_key(is_up(), now);
    case Verdict::bad_mac:
    case Verdict::bad_proof:
    case Verdict::bad_seal:
      return view_.not_authentic(now);
    case Verdict::downgrade:
      return view_.downgrade(now);
    default:
      return;
  }
}

}  // namespace penstock::controlplane
