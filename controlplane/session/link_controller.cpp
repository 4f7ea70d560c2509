#include "controlplane/session/link_controller.hpp"

#include <utility>

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {

LinkController::LinkController(Setup setup, SlotAllocator& slots, Entropy& entropy, Time now)
    : state_(std::make_unique<State>(std::move(setup), slots, entropy, now)) {}
LinkController::~LinkController() = default;
LinkController::LinkController(LinkController&&) noexcept = default;

void LinkController::on_dataplane_up(const DataplaneFacts& facts,
                                     std::vector<ipc::SessionInfo> living, Time now) {
  state_->dataplane_up(facts, living, now);
}

void LinkController::on_dataplane_down(Time now) { state_->dataplane_down(now); }

bool LinkController::on_datagram(const Route& from, Bytes datagram, Time now) {
  return state_->datagram(from, datagram, now);
}

void LinkController::on_unclaimed(const Endpoint& from, Bytes datagram, Time now) {
  state_->unclaimed(from, datagram, now);
}

void LinkController::on_install_reply(std::uint32_t request, ipc::InstallResult result, Time now) {
  state_->install_reply(request, result, now);
}

void LinkController::on_event(const ipc::Event& event, Time now) {
  switch (event.kind) {
    case ipc::EventKind::session_confirmed:
      return state_->confirmed(event.session_id, now);
    case ipc::EventKind::session_removed:
      return state_->removed(event.session_id, static_cast<ipc::RemovalReason>(event.detail), now);
    case ipc::EventKind::rekey_wanted:
      return state_->rekey_wanted(event.session_id, now);
    case ipc::EventKind::peer_silent:
      return state_->peer_silent(event.session_id, now);
    case ipc::EventKind::peer_heard:
      return state_->peer_heard(event.session_id, now);
    case ipc::EventKind::peer_moved:
      return state_->peer_moved(event.session_id, ipc::from_wire(event.peer), now);
    case ipc::EventKind::path_frame:
      return state_->path_found(event.session_id, static_cast<std::uint16_t>(event.detail), now);
    case ipc::EventKind::link_stopped:
      return state_->stopped(event.detail);
    case ipc::EventKind::link_resumed:
      return state_->resumed();
    case ipc::EventKind::lanes_turned:
      return state_->lanes_turned(event.session_id, event.detail, event.silent_lanes);
  }
}

void LinkController::on_timer(Time now) { state_->timer(now); }
void LinkController::rekey(Time now) { state_->rekey(now); }
void LinkController::on_resolved(const std::optional<IpAddress>& address, Time now) {
  state_->resolved(address, now);
}

bool LinkController::reconfigure(Setup new_setup, Time now) {
  return state_->reconfigure(std::move(new_setup), now);
}

void LinkController::on_old_key_retired(const crypto::KeyFingerprint& old_key) {
  state_->old_key_retired(old_key);
}

void LinkController::retire(Time now) { state_->retire(now); }
void LinkController::zeroize(std::string_view who, Time now) { state_->zeroize(who, now); }

std::vector<Action> LinkController::take_actions() { return state_->take_actions(); }
std::optional<Time> LinkController::deadline() const { return state_->deadline(); }
LinkStatus LinkController::status(ipc::BreakerState breaker) const {
  return state_->status(breaker);
}

}  // namespace penstock::controlplane
