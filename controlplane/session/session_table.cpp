#include "controlplane/session/session_table.hpp"

#include <algorithm>

namespace penstock::controlplane {

Session* SessionTable::confirm(const ipc::SessionId& id, Time now) {
  const auto found = std::ranges::find(sessions_, id, &Session::id);
  if (found == sessions_.end()) return nullptr;
  if (Session* before = current()) before->state = ipc::SessionState::retiring;
  found->state = ipc::SessionState::current;
  found->confirmed_at = now;
  return &*found;
}

std::optional<Session> SessionTable::remove(const ipc::SessionId& id) {
  const auto found = std::ranges::find(sessions_, id, &Session::id);
  if (found == sessions_.end()) return std::nullopt;
  Session removed = std::move(*found);
  sessions_.erase(found);
  return removed;
}

std::vector<ipc::SessionId> SessionTable::remove_unconfirmed(
    const std::function<bool(const Session&)>& is_one) {
  std::vector<ipc::SessionId> removed;
  std::erase_if(sessions_, [&](const Session& session) {
    if (session.state != ipc::SessionState::unconfirmed || !is_one(session)) return false;
    removed.push_back(session.id);
    return true;
  });
  return removed;
}

const Session* SessionTable::current() const {
  const auto found = std::ranges::find(sessions_, ipc::SessionState::current, &Session::state);
  return found == sessions_.end() ? nullptr : &*found;
}

Session* SessionTable::current() {
  const auto found = std::ranges::find(sessions_, ipc::SessionState::current, &Session::state);
  return found == sessions_.end() ? nullptr : &*found;
}

Session* SessionTable::find(const ipc::SessionId& id) {
  const auto found = std::ranges::find(sessions_, id, &Session::id);
  return found == sessions_.end() ? nullptr : &*found;
}

const Session* SessionTable::find(const ipc::SessionId& id) const {
  const auto found = std::ranges::find(sessions_, id, &Session::id);
  return found == sessions_.end() ? nullptr : &*found;
}

std::vector<ipc::SessionId> SessionTable::ids() const {
  std::vector<ipc::SessionId> ids;
  for (const Session& session : sessions_) ids.push_back(session.id);
  return ids;
}

bool SessionTable::has_unconfirmed() const {
  return std::ranges::any_of(sessions_, [](const Session& session) {
    return session.state == ipc::SessionState::unconfirmed;
  });
}

}  // namespace penstock::controlplane
