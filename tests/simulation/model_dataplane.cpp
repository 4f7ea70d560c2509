#include "model_dataplane.hpp"

#include <algorithm>
#include <utility>

#include "tests/simulation/event_log.hpp"

namespace penstock::simulation {
namespace {

std::uint64_t name_of(const ipc::LaneKeys& keys) {
  return hash_of(keys.mac, hash_of(keys.encrypt));
}

}  // namespace

ipc::InstallResult ModelDataplane::install(const ipc::InstallSession& message, Time now) {
  if (message.boot_id != boot_id_) return ipc::InstallResult::wrong_boot;
  if (!seen_.insert(message.session_id).second) return ipc::InstallResult::seen_before;
  const auto slot = Spi{message.local_spi_base}.slot();
  for (const auto& entry : entries_)
    if (entry->session.local_spi_base.slot() == slot) return ipc::InstallResult::slot_taken;
  Entry& entry = *entries_.emplace_back(std::make_unique<Entry>());
  entry.message = message;
  entry.seal_key = name_of(message.out[0]);
  entry.open_key = name_of(message.in[0]);
  dataplane::Session& session = entry.session;
  session.id = message.session_id;
  session.role = message.role;
  session.local_spi_base = Spi{message.local_spi_base};
  session.order = seen_.size();
  session.installed_at = now;
  session.max_age = Time{static_cast<Time::rep>(message.max_age_ns)};
  session.dead_after = Time{static_cast<Time::rep>(message.dead_after_ns)};
  life_.install(session, now);
  live(now);
  return ipc::InstallResult::installed;
}

void ModelDataplane::remove(const ipc::SessionId& id, Time now) {
  if (Entry* entry = find(id)) life_.remove(entry->session, ipc::RemovalReason::by_controller);
  live(now);
}

void ModelDataplane::receive(const ModelFrame& frame, Time now) {
  for (const auto& entry : entries_) {
    if (entry->session.local_spi_base.value != frame.spi || entry->open_key != frame.key) continue;
    if (entry->window.admit({frame.number}) != ReplayVerdict::fresh) return;
    const ipc::SessionId id = entry->session.id;
    life_.good_frame(entry->session, now);
    live(now);
    if (!frame.control.empty()) outputs_.heard(id, frame.control);
    return;
  }
}

void ModelDataplane::send_inside(const ipc::SessionId& id, std::vector<std::byte> message,
                                 Time now) {
  if (Entry* entry = find(id)) send(*entry, std::move(message), now);
}

void ModelDataplane::on_timer(Time now) {
  if (now < life_.deadline()) return;
  life_.expire(now);
  live(now);
}

void ModelDataplane::believe(const ipc::SessionId& id, Time now) {
  if (Entry* entry = find(id)) life_.good_frame(entry->session, now);
  live(now);
}

std::vector<ipc::SessionInfo> ModelDataplane::living(Time now) const {
  std::vector<ipc::SessionInfo> list;
  for (const auto& entry : entries_) {
    const ipc::InstallSession& message = entry->message;
    list.push_back(
        {.session_id = message.session_id,
         .local_spi_base = message.local_spi_base,
         .remote_spi_base = message.remote_spi_base,
         .role = message.role,
         .state = entry->session.state(),
         .suite = message.suite,
         .frame_size = message.frame_size,
         .lanes_out = message.lanes_out,
         .lanes_in = message.lanes_in,
         .tag = message.tag,
         .peer = message.peer,
         .peer_name = message.peer_name,
         .age_ns = static_cast<std::uint64_t>((now - entry->session.installed_at).count())});
  }
  return list;
}

std::optional<ipc::SessionId> ModelDataplane::current() const {
  const dataplane::Session* const session = table_.current(0);
  return session == nullptr ? std::nullopt : std::optional{session->id};
}

bool ModelDataplane::has_unconfirmed() const {
  return std::ranges::any_of(entries_, [](const auto& entry) {
    return entry->session.state() == ipc::SessionState::unconfirmed;
  });
}

bool ModelDataplane::was_heard(const ipc::SessionId& id) const {
  return std::ranges::any_of(entries_, [&](const auto& entry) {
    return entry->session.id == id && entry->window.next() > 0;
  });
}

ModelDataplane::Entry* ModelDataplane::find(const ipc::SessionId& id) {
  const auto found =
      std::ranges::find_if(entries_, [&](const auto& entry) { return entry->session.id == id; });
  return found == entries_.end() ? nullptr : found->get();
}

void ModelDataplane::send(Entry& entry, std::vector<std::byte> control, Time now) {
  entry.session.last_sealed = now;
  outputs_.send({.spi = entry.message.remote_spi_base,
                 .key = entry.seal_key,
                 .number = entry.next_number++,
                 .control = std::move(control)});
}

void ModelDataplane::live(Time now) {
  using Kind = dataplane::LifeAction::Kind;
  // A copy: to carry them out may cause more.
  const auto taken = life_.take_actions();
  for (const dataplane::LifeAction& action : std::vector(taken.begin(), taken.end())) {
    dataplane::Session& session = *action.session;
    if (action.kind == Kind::send_dummy) {
      send(*find(session.id), {}, now);
    } else if (action.kind == Kind::confirmed) {
      tell(ipc::EventKind::session_confirmed, session);
    } else if (action.kind == Kind::silence_turned) {
      tell(session.progress.is_silent ? ipc::EventKind::peer_silent : ipc::EventKind::peer_heard,
           session);
    } else if (action.kind == Kind::remove) {
      table_.erase(session);
      tell(ipc::EventKind::session_removed, session, static_cast<std::uint32_t>(action.reason));
      std::erase_if(entries_, [&](const auto& entry) { return &entry->session == &session; });
    }
  }
}

void ModelDataplane::tell(ipc::EventKind kind, const dataplane::Session& session,
                          std::uint32_t detail) {
  outputs_.event({.kind = kind, .detail = detail, .session_id = session.id});
}

}  // namespace penstock::simulation
