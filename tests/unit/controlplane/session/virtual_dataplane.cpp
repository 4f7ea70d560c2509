#include "tests/unit/controlplane/session/virtual_dataplane.hpp"

#include <algorithm>

namespace penstock::controlplane {

using ipc::SessionState;
using namespace std::chrono_literals;

ipc::InstallResult VirtualDataplane::install(const ipc::InstallSession& message, Time now) {
  const auto refuse = [&](ipc::InstallResult why) {
    ++counters_.refused;
    return why;
  };
  if (message.boot_id != boot_id_) return refuse(ipc::InstallResult::wrong_boot);
  if (!seen_.insert(message.session_id).second) return refuse(ipc::InstallResult::seen_before);
  for (const Session& session : sessions_)
    if (Spi{session.message.local_spi_base}.slot() == Spi{message.local_spi_base}.slot())
      return refuse(ipc::InstallResult::slot_taken);
  sessions_.push_back({.message = message,
                       .installed_at = now,
                       .state_ends = now + limits::confirm_within,
                       .confirm_at = Time::max(),
                       .confirm_wait = limits::confirm_retry_first});
  Session& session = sessions_.back();
  if (message.role == ipc::Role::initiator) {
    session.confirm_at = now + session.confirm_wait;
    send_on(session, now);
  }
  return ipc::InstallResult::installed;
}

void VirtualDataplane::remove(const ipc::SessionId& id) {
  std::erase_if(sessions_, [&](const Session& s) { return s.message.session_id == id; });
}

void VirtualDataplane::receive(const VirtualFrame& frame, Time now) {
  const auto found = std::ranges::find_if(
      sessions_, [&](const Session& s) { return s.message.local_spi_base == frame.spi; });
  if (found == sessions_.end()) {
    ++counters_.unknown;
    return;
  }
  if (found->message.in[0].encrypt != frame.key) {
    ++counters_.wrong_key;
    return;
  }
  ++counters_.opened;
  if (found->state == SessionState::unconfirmed) {
    confirm(*found, now);
  } else if (now < found->answers_end && now >= found->last_sent + 50ms) {
    send_on(*found, now);
  }
  if (!frame.control.empty()) outputs_.punt_inside(found->message.session_id, frame.control);
}

bool VirtualDataplane::send_inside(const ipc::SessionId& id, std::vector<std::byte> message,
                                   Time now) {
  const auto found =
      std::ranges::find_if(sessions_, [&](const Session& s) { return s.message.session_id == id; });
  if (found == sessions_.end()) return false;
  send_on(*found, now, std::move(message));
  return true;
}

void VirtualDataplane::confirm(Session& session, Time now) {
  const auto old = std::ranges::find(sessions_, SessionState::current, &Session::state);
  const bool is_newest = old == sessions_.end() || &*old < &session;
  if (is_newest) {
    if (old != sessions_.end()) retire(*old, now);
    session.state = SessionState::current;
    tell(ipc::EventKind::session_confirmed, session);
  } else {
    retire(session, now);
  }
  if (session.message.role == ipc::Role::responder) {
    session.answers_end = now + limits::confirm_within;
    send_on(session, now);
  }
}

void VirtualDataplane::retire(Session& session, Time now) {
  session.state = SessionState::retiring;
  session.state_ends = now + limits::grace;
}

void VirtualDataplane::traffic(Time now) {
  const auto found = std::ranges::find(sessions_, SessionState::current, &Session::state);
  if (found != sessions_.end()) send_on(*found, now);
}

void VirtualDataplane::on_timer(Time now) {
  for (Session& session : sessions_) {
    if (session.state != SessionState::unconfirmed || now < session.confirm_at) continue;
    session.confirm_wait = std::min<Time>(2 * session.confirm_wait, limits::confirm_retry_last);
    session.confirm_at = now + session.confirm_wait;
    send_on(session, now);
  }
  const auto is_over = [&](const Session& session) {
    const Time max_age{static_cast<Time::rep>(session.message.max_age_ns)};
    return now >= session.installed_at + max_age ||
           (session.state != SessionState::current && now >= session.state_ends);
  };
  for (auto over = std::ranges::find_if(sessions_, is_over); over != sessions_.end();
       over = std::ranges::find_if(sessions_, is_over)) {
    const Session session = *over;
    sessions_.erase(over);
    ipc::RemovalReason why = ipc::RemovalReason::max_age;
    if (session.state == SessionState::unconfirmed) why = ipc::RemovalReason::unconfirmed;
    if (session.state == SessionState::retiring) why = ipc::RemovalReason::replaced;
    tell(ipc::EventKind::session_removed, session, static_cast<std::uint32_t>(why));
  }
}

std::optional<ipc::SessionId> VirtualDataplane::current() const {
  const auto found = std::ranges::find(sessions_, SessionState::current, &Session::state);
  if (found == sessions_.end()) return std::nullopt;
  return found->message.session_id;
}

std::vector<ipc::SessionInfo> VirtualDataplane::living(Time now) const {
  std::vector<ipc::SessionInfo> list;
  for (const Session& session : sessions_)
    list.push_back({.session_id = session.message.session_id,
                    .local_spi_base = session.message.local_spi_base,
                    .remote_spi_base = session.message.remote_spi_base,
                    .role = session.message.role,
                    .state = session.state,
                    .suite = session.message.suite,
                    .frame_size = session.message.frame_size,
                    .tag = session.message.tag,
                    .peer = session.message.peer,
                    .peer_name = session.message.peer_name,
                    .age_ns = static_cast<std::uint64_t>((now - session.installed_at).count())});
  return list;
}

void VirtualDataplane::send_on(Session& session, Time now, std::vector<std::byte> control) {
  session.last_sent = now;
  outputs_.send({.spi = session.message.remote_spi_base,
                 .key = session.message.out[0].encrypt,
                 .control = std::move(control)});
}

void VirtualDataplane::tell(ipc::EventKind kind, const Session& session, std::uint32_t detail) {
  outputs_.event({.kind = kind, .detail = detail, .session_id = session.message.session_id});
}

}  // namespace penstock::controlplane
