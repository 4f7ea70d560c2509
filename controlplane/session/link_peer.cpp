// What the data plane hears of the far side: that it fell silent, that it speaks again.
#include <utility>

#include <fmt/format.h>

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {
namespace {

std::string in_seconds(Time time) {
  return fmt::format("{:.3g} s", std::chrono::duration<double>(time).count());
}

}  // namespace

bool LinkController::State::is_up() const {
  const Session* current = sessions_.current();
  return current != nullptr && !current->is_silent();
}

std::string LinkController::State::silence() const {
  return fmt::format("nothing heard from {} for {}", config_.peer, in_seconds(config_.dead_after));
}

// The session stays: what arrives from the plain side still goes out on it, and when the path is
// back it is good at once. Meanwhile the far side may have lost it, so attempts start.
void LinkController::State::peer_silent(const ipc::SessionId& id, Time now) {
  Session* current = sessions_.current();
  if (current == nullptr || current->id != id || current->is_silent()) return;
  current->silent_since = now;
  ++silences_;
  since_ = now;
  schedule_.reset();
  doubt_path(*current, now);
  if (attempt_ && attempt_->route != next_route()) attempt_.reset();
  view_.went_down(silence());
}

void LinkController::State::peer_heard(const ipc::SessionId& id, Time now) {
  Session* current = sessions_.current();
  if (current == nullptr || current->id != id || !current->is_silent()) return;
  const Time silent =
      now - *std::exchange(current->silent_since, std::nullopt) + config_.dead_after;
  since_ = now;
  failed_in_a_row_ = 0;
  unanswered_ = 0;
  if (config_.finds_mtu) path_frame_.adopt(current->frame_size);
  view_.went_up(fmt::format("up: heard again after {} of silence", in_seconds(silent)));
}

void LinkController::State::peer_moved(const ipc::SessionId& id, const Endpoint& to, Time now) {
  Session* session = sessions_.find(id);
  if (session == nullptr || session->peer == to) return;
  const Endpoint from = std::exchange(session->peer, to);
  if (session == sessions_.current()) view_.moved(from, to, now);
}

// --- its address ------------------------------------------------------------------------

Endpoint LinkController::State::expected_peer() const {
  const Session* current = sessions_.current();
  if (keys_.is_empty()) return {};
  if (is_up()) return current->peer;
  return address_.endpoint().value_or(current != nullptr ? current->peer : Endpoint{});
}

std::string LinkController::State::waiting() const {
  return address_.is_said() ? "connecting to " + address_.describe()
                            : fmt::format("waiting for {} to come", config_.peer);
}

std::string LinkController::State::far_side() const {
  const Session* current = sessions_.current();
  if (address_.is_said()) return address_.describe();
  return current != nullptr ? to_string(current->peer) : config_.peer;
}

bool LinkController::State::has_address(Time now) {
  const PeerAddress::Step step = address_.step(now);
  if (step == PeerAddress::Step::ask) actions_.push_back(Resolve{address_.name()});
  return step == PeerAddress::Step::go;
}

void LinkController::State::resolved(const std::optional<IpAddress>& address, Time now) {
  if (keys_.is_empty()) return;  // asked for before they were wiped
  const std::optional<Endpoint> before = address_.endpoint();
  if (address_.resolved(address)) return view_.found(address_.name(), *address_.endpoint(), before);
  if (!address_.endpoint())
    view_.failed(fmt::format("cannot find the address of {}; does the name exist, and does this "
                             "machine's resolver answer?",
                             address_.name()),
                 now);
}

}  // namespace penstock::controlplane
