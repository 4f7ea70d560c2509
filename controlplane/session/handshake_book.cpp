#include "controlplane/session/handshake_book.hpp"

#include <utility>

namespace penstock::controlplane {
namespace {

template <class Enum>
constexpr std::size_t index(Enum value) {
  return static_cast<std::size_t>(value);
}

bool is_offence(Verdict verdict) {
  switch (verdict) {
    case Verdict::not_ours:
    case Verdict::bad_type:
    case Verdict::stale_cookie:
    case Verdict::repeat_unanswered:
      return false;  // late or repeated by the network
    default:
      return true;
  }
}

}  // namespace

std::string_view to_string(HandshakeCause cause) {
  switch (cause) {
    case HandshakeCause::first:
      return "first";
    case HandshakeCause::age:
      return "age";
    case HandshakeCause::limit:
      return "bytes or frames";
    case HandshakeCause::by_operator:
      return "operator";
    case HandshakeCause::silence:
      return "silence";
    case HandshakeCause::new_key:
      return "new key";
    case HandshakeCause::reload:
      return "reload";
    case HandshakeCause::peer:
      return "far side";
    case HandshakeCause::path:
      return "path";
  }
  return "unknown";
}

std::string_view to_string(HandshakeFailure failure) {
  switch (failure) {
    case HandshakeFailure::no_answer:
      return "no_answer";
    case HandshakeFailure::new_key_unanswered:
      return "new_key_unanswered";
    case HandshakeFailure::refused_by_far_side:
      return "refused_by_far_side";
    case HandshakeFailure::refused_here:
      return "refused_here";
    case HandshakeFailure::unconfirmed:
      return "unconfirmed";
    case HandshakeFailure::install_refused:
      return "install_refused";
    case HandshakeFailure::no_slot:
      return "no_slot";
  }
  return "unknown";
}

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return "none";
    case Refusal::suite:
      return "suite";
    case Refusal::version:
      return "version";
    case Refusal::tag:
      return "tag";
    case Refusal::parameters:
      return "parameters";
    case Refusal::shaping:
      return "shaping";
    case Refusal::identity:
      return "identity";
  }
  return "unknown";
}

void HandshakeBook::complete(const HandshakeStory& story, Time now) {
  ++completed;
  last = LastHandshake{.story = story, .ended = now, .failure = std::nullopt, .why = {}};
}

void HandshakeBook::fail(const HandshakeStory& story, HandshakeFailure failure, std::string why,
                         Time now) {
  ++failed;
  ++failed_by[index(failure)];
  last = LastHandshake{.story = story, .ended = now, .failure = failure, .why = std::move(why)};
}

void HandshakeBook::refuse(const HandshakeStory& story, HandshakeFailure side, Refusal refusal,
                           std::string why, Time now) {
  auto& by_reason = side == HandshakeFailure::refused_here ? refused_here : refused_by_far_side;
  // A far side of a later version may have reasons that we do not know.
  ++by_reason[index(refusal) < refusal_count ? index(refusal) : 0];
  fail(story, side, std::move(why), now);
}

void HandshakeBook::refuse_message(Verdict verdict) {
  ++messages_refused_by[index(verdict)];
  if (is_offence(verdict)) ++messages_refused;
}

}  // namespace penstock::controlplane
