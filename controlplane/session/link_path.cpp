// What the data plane's probes find of the path, where mtu = "auto".
#include <fmt/format.h>

#include "controlplane/session/link_state.hpp"

namespace penstock::controlplane {

void LinkController::State::path_found(const ipc::SessionId& id, std::uint16_t size, Time now) {
  if (!config_.finds_mtu || sessions_.find(id) == nullptr) return;
  const std::uint16_t before = path_frame_.size();
  path_frame_.found(size);
  drop_unconfirmed([this](const Session& session) { return is_too_large(session); });
  Session* current = sessions_.current();
  if (current != nullptr && is_too_large(*current)) return leave_larger_frames(*current, now);
  if (size != before) view_.path_carries(size);
  if (current == nullptr) return;
  // Nothing is gained where the far side had less than we offered.
  const bool was_ours_to_say = current->offered <= current->frame_size;
  const Time due = path_frame_.may_grow(now);
  if (!was_ours_to_say || largest_frame() <= current->offered || current->rekey_at <= due) return;
  current->rekey_at = due;
  rekey_cause_ = HandshakeCause::path;
}

// No frame of the session passes any more: the next one is made in the clear.
void LinkController::State::leave_larger_frames(const Session& current, Time now) {
  view_.warn(fmt::format("the path carries frames of {} bytes now, and of {} no more; another "
                         "session follows",
                         path_frame_.size(), current.frame_size));
  rekey_now(HandshakeCause::path, now);
  if (attempt_ && attempt_->route != next_route()) attempt_.reset();
}

bool LinkController::State::is_too_large(const Session& session) const {
  return config_.finds_mtu && session.frame_size > path_frame_.size();
}

void LinkController::State::doubt_path(const Session& session, Time now) {
  if (config_.finds_mtu && session.frame_size > PathMtu::base_size) path_frame_.doubt(now);
}

}  // namespace penstock::controlplane
