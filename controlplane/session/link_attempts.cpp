// The attempts of a link: when one is due, by which way it goes, and how it ends.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "penstock/wire/outer.hpp"

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {

void LinkController::State::timer(Time now) {
  end_outdated(now);
  if (attempt_) {
    Initiator& initiator = attempt_->initiator;
    if (initiator.on_timer(now)) send(attempt_->route, initiator.outgoing());
    if (initiator.state() == Initiator::State::expired) attempt_over(now);
  }
  start_due_attempt(now);
}

void LinkController::State::start_due_attempt(Time now) {
  const auto due = attempt_due();
  if (!due || now < *due) return;
  if (goes_inside() || has_address(now)) start_attempt(now);
}

std::optional<Time> LinkController::State::deadline() const {
  std::optional<Time> due = attempt_ ? attempt_->initiator.deadline() : attempt_due();
  if (const auto end = next_end(); end && (!due || *end < *due)) due = end;
  return due;
}

std::optional<Time> LinkController::State::attempt_due() const {
  const bool is_busy = attempt_ || !pending_.empty() || sessions_.has_unconfirmed();
  if (!facts_ || keys_.is_empty() || is_busy) return std::nullopt;
  const Time due = schedule_.next(is_up() ? sessions_.current()->rekey_at : Time{});
  if (goes_inside()) return due;
  if (!address_.is_said()) return std::nullopt;
  return address_.next(due);
}

void LinkController::State::start_attempt(Time now) {
  std::optional<SlotLease> slot = slots_->take();
  const HandshakeStory story = story_of_next(now);
  if (!slot) return failed(story, HandshakeFailure::no_slot, std::string{no_slot}, now);
  const Parameters own = own_parameters(slot->base());
  RingKey& key = next_key();
  attempt_.emplace(
      Attempt{.initiator = {key.starting, config_.suites, own, *entropy_, now, identity()},
              .slot = std::move(*slot),
              .route = next_route(),
              .key = key.fingerprint,
              .story = story});
  send(attempt_->route, attempt_->initiator.outgoing());
}

HandshakeStory LinkController::State::story_of_next(Time now) const {
  HandshakeCause cause = rekey_cause_;
  if (sessions_.current() == nullptr)
    cause = HandshakeCause::first;
  else if (!is_up())
    cause = HandshakeCause::silence;
  return {.cause = cause, .role = ipc::Role::initiator, .is_inside = goes_inside(), .started = now};
}

void LinkController::State::failed(const HandshakeStory& story, HandshakeFailure failure,
                                   std::string why, Time now) {
  book_.fail(story, failure, why, now);
  back_off(now);
  view_.failed(std::move(why), now);
}

void LinkController::State::refused(const HandshakeStory& story, HandshakeFailure side,
                                    Refusal refusal, std::string why, Time now) {
  book_.refuse(story, side, refusal, why, now);
  back_off(now);
  if (side == HandshakeFailure::refused_here)
    view_.peer_refused(std::move(why), now);
  else
    view_.failed(std::move(why), now);
}

void LinkController::State::back_off(Time now) {
  ++failed_in_a_row_;
  schedule_.attempt_failed(*entropy_, now);
}

std::uint16_t LinkController::State::largest_frame() const {
  std::uint16_t largest = facts_->max_frame_size;
  if (config_.frame_size) largest = std::min(largest, *config_.frame_size);
  if (config_.finds_mtu) return std::min(largest, path_frame_.size());
  if (!config_.mtu) return largest;
  const std::size_t headers = outer_ip_header() + udp_header;
  return std::min(largest, static_cast<std::uint16_t>(*config_.mtu - headers));
}

std::size_t LinkController::State::outer_ip_header() const {
  return config_.endpoint.address.version == IpVersion::v4 ? ipv4_header : ipv6_header;
}

Parameters LinkController::State::own_parameters(Spi spi_base) const {
  return {.flags = facts_->takes_offload ? Parameters::takes_offload_flag : std::uint8_t{0},
          .tag = config_.tag,
          .min_tag = config_.min_tag,
          .spi_base = spi_base,
          .frame_size = largest_frame(),
          .lanes = facts_->lanes,
          .shaping = static_cast<std::uint8_t>(config_.shape.mode)};
}

bool LinkController::State::goes_inside() const {
  const Session* current = sessions_.current();
  if (current == nullptr || !carries_handshakes(*current)) return false;
  if (!address_.is_said()) return true;
  if (is_too_large(*current)) return false;
  const bool is_turn_of_clear =
      unanswered_ >= limits::attempts_inside && (unanswered_ - limits::attempts_inside) % 2 == 0;
  return !current->is_silent() && !is_turn_of_clear;
}

Route LinkController::State::next_route() const {
  if (goes_inside()) return sessions_.current()->id;
  return address_.endpoint().value_or(Endpoint{});
}

Endpoint LinkController::State::peer_on(const Route& route) const {
  if (const auto* const endpoint = std::get_if<Endpoint>(&route)) return *endpoint;
  return sessions_.find(std::get<ipc::SessionId>(route))->peer;
}

void LinkController::State::send(const Route& to, const Message& message) {
  const std::vector<std::byte> bytes{message.begin(), message.end()};
  if (const auto* const endpoint = std::get_if<Endpoint>(&to))
    actions_.push_back(SendDatagram{.to = *endpoint, .bytes = bytes});
  else
    actions_.push_back(SendInside{.session_id = std::get<ipc::SessionId>(to), .bytes = bytes});
}

std::string LinkController::State::explain(Refusal refusal) const {
  std::string why{to_string(refusal)};
  if (refusal == Refusal::shaping)
    return why + fmt::format(" (here: mode = \"{}\")", to_string(config_.shape.mode));
  if (refusal != Refusal::suite) return why;
  std::string_view before = " (here: ";
  for (const Suite suite : config_.suites)
    why += fmt::format("{}{}", std::exchange(before, ", "), to_string(suite));
  return why + ")";
}

void LinkController::State::attempt_over(Time now) {
  const Initiator& initiator = attempt_->initiator;
  if (initiator.state() == Initiator::State::refused) {
    const auto fault = initiator.identity_fault();
    const bool here = initiator.is_refused_here();
    refused(attempt_->story,
            here ? HandshakeFailure::refused_here : HandshakeFailure::refused_by_far_side,
            initiator.refusal(),
            fmt::format("refused {}: {}", here ? "here" : "by the far side",
                        fault ? std::string{to_string(*fault)} : explain(initiator.refusal())),
            now);
    ++unanswered_;  // by the far side as far as this way leads to it
  } else {
    met_silence(now);
  }
  attempt_.reset();
}

void LinkController::State::met_silence(Time now) {
  constexpr auto no_answer = HandshakeFailure::no_answer;
  const HandshakeStory& story = attempt_->story;
  is_turn_of_old_ = is_new_key_unanswered();
  if (is_turn_of_old_) {  // at once; the two are one try
    book_.fail(story, HandshakeFailure::new_key_unanswered, "no answer to the new key", now);
    return view_.new_key_unanswered(now);
  }
  ++unanswered_;
  if (std::holds_alternative<ipc::SessionId>(attempt_->route))
    return failed(story, no_answer,
                  fmt::format("no answer from {} inside the living session: does it still have it?",
                              far_side()),
                  now);
  if (view_.is_silence_explained(now)) {  // the reason stands and was said
    book_.fail(story, no_answer, view_.reason(), now);
    return back_off(now);
  }
  failed(
      story, no_answer,
      fmt::format("no answer from {}: is it running, and does the path carry packets of {} bytes?",
                  far_side(), outer_ip_header() + udp_header + limits::handshake_message),
      now);
}

}  // namespace penstock::controlplane
