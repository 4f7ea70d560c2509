// Sessions that were made before the config asked for more than they have: a rightful far side has
// another soon, and nobody else keeps one for as long as sessions may live.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {

std::optional<Session::Identities> LinkController::State::identities() const {
  if (!identity_) return std::nullopt;
  return Session::Identities{.own = identity_->own->public_key(), .peer = identity_->peer};
}

std::optional<Session::Outdated> LinkController::State::judge(const Session& session,
                                                              Time now) const {
  const Time soon = now + limits::outdated_ends_after;
  const std::optional<Session::Identities>& had = session.identities;
  const std::optional<Session::Identities> wanted = identities();
  // Whoever is not the one that the operator names now has nothing to be waited for.
  if (wanted && had && had->peer != wanted->peer)
    return Session::Outdated{.before = "this peer_identity", .ends_at = now};
  if (wanted && !had) return Session::Outdated{.before = "peer_identity", .ends_at = soon};
  if (wanted && had->own != wanted->own)
    return Session::Outdated{.before = "this identity_file", .ends_at = soon};
  if (session.key && !keys_.has(*session.key))
    return Session::Outdated{.before = "this key_file", .ends_at = soon};
  if (session.mode != config_.shape.mode)
    return Session::Outdated{.before = "this mode of shape", .ends_at = soon};
  return std::nullopt;
}

void LinkController::State::judge_sessions(Time now) {
  for (const ipc::SessionId& id : sessions_.ids()) {
    Session& session = *sessions_.find(id);
    const auto before = std::exchange(session.outdated, judge(session, now));
    // Another reload is no reprieve.
    if (before && session.outdated)
      session.outdated->ends_at = std::min(before->ends_at, session.outdated->ends_at);
  }
  end_outdated(now);
}

void LinkController::State::end_outdated(Time now) {
  for (const ipc::SessionId& id : sessions_.ids()) {
    const auto outdated = sessions_.find(id)->outdated;
    if (!outdated || now < outdated->ends_at) continue;
    actions_.push_back(Remove{id});
    const std::optional<Session> ended = sessions_.remove(id);
    if (attempt_ && attempt_->route == Route{id}) attempt_.reset();
    if (ended->state != ipc::SessionState::current) continue;
    if (!ended->is_silent()) since_ = now;
    schedule_.reset();
    view_.went_down(fmt::format("the session was ended, for it was made before {} was configured",
                                outdated->before));
  }
}

std::optional<Time> LinkController::State::next_end() const {
  std::optional<Time> next;
  for (const ipc::SessionId& id : sessions_.ids()) {
    const auto outdated = sessions_.find(id)->outdated;
    if (outdated && (!next || outdated->ends_at < *next)) next = outdated->ends_at;
  }
  return next;
}

std::string LinkController::State::coming_end() const {
  const Session* current = sessions_.current();
  if (current == nullptr || !current->outdated) return {};
  return fmt::format(
      "the session was made before {} was configured, and ends {} s after that unless the far side "
      "agrees to another",
      current->outdated->before, limits::outdated_ends_after.count());
}

}  // namespace penstock::controlplane
