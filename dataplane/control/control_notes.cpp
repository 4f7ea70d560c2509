// What workers say of sessions, and what the wire has for the controller.
#include <algorithm>
#include <bit>
#include <utility>

#include "penstock/base/check.hpp"

#include "dataplane/control/control_server.hpp"

namespace penstock::dataplane {

using ipc::EventKind;
using ipc::InstallResult;

namespace {

// Of a session that all workers gave back. A held frame counts in its worker's budget, which only
// the worker may touch.
bool holds_frames(const SessionRecord& record) {
  return std::ranges::any_of(record.shares, [](const auto& share) {
    return std::ranges::any_of(share->in,
                               [](const InboundSa& sa) { return sa.reassembler.has_gap(); });
  });
}

std::size_t worker_of(const SessionRecord& record, const Session& share) {
  const auto at = std::ranges::find(record.shares, &share, &std::unique_ptr<Session>::get);
  return static_cast<std::size_t>(at - record.shares.begin());
}

}  // namespace

void ControlServer::on_note(const Note& note) {
  SessionRecord* record = sessions_.find(*note.session);
  if (record == nullptr) return;
  switch (note.kind) {
    case Note::Kind::installed:
      return on_installed(*record);
    case Note::Kind::confirmed:
      on_confirmed(*record, *note.session);
      return on_breaker(*record);  // the lane may have begun anew with another far side
    case Note::Kind::rekey_wanted:
      return on_rekey_wanted(*record);
    case Note::Kind::silence:
      note.session->progress.has_silence_note.exchange(false, std::memory_order_acq_rel);
      return on_silence(*record);
    case Note::Kind::breaker:
      note.session->progress.has_breaker_note.exchange(false, std::memory_order_acq_rel);
      return on_breaker(*record);
    case Note::Kind::returned:
      return on_returned(*record, *note.session, note.reason);
    case Note::Kind::port_gone:
      return;
  }
}

void ControlServer::on_installed(SessionRecord& record) {
  if (++record.installed_by < plane_.workers()) return;
  // The far side answers on any lane.
  if (plane_.workers() > 1 && record.info.role == ipc::Role::initiator) {
    record.to_begin = record.holders;
    give_orders(record);
  }
  reply_installed(std::exchange(record.install, {}), InstallResult::installed);
}

// By the first worker that had a good frame of it: the others send on it from now on, too, and say
// so. The controller is told when all do: packets that come before would find no session.
void ControlServer::on_confirmed(SessionRecord& record, const Session& share) {
  if (record.was_confirmed) return;
  if (record.confirmed_by == 0) {
    record.to_confirm = record.holders & ~bit_of(worker_of(record, share));
    give_orders(record);
  }
  record.confirmed_by |= bit_of(worker_of(record, share));
  if ((record.holders & ~record.confirmed_by) != 0) return;
  // A later session may have been confirmed by another worker, whose note was read before: all
  // workers take that one, whatever they hear first.
  std::uint64_t& newest = confirmed_[record.info.link];
  const std::uint64_t order = record.shares.front()->order;
  if (order < newest) return;
  newest = order;
  record.was_confirmed = true;
  tell_event(EventKind::session_confirmed, 0, record);
}

void ControlServer::on_rekey_wanted(SessionRecord& record) {
  if (std::exchange(record.was_rekey_told, true)) return;
  tell_event(EventKind::rekey_wanted, 0, record);
}

// A link is stopped while any of its lanes is.
void ControlServer::on_breaker(const SessionRecord& record) {
  const std::uint32_t lost_ppm = sessions_.stopped_ppm(record.info.link);
  if (lost_ppm == 0) {
    if (stopped_.erase(record.info.link) != 0) tell_event(EventKind::link_resumed, 0, record);
  } else if (stopped_.insert(record.info.link).second) {
    tell_event(EventKind::link_stopped, lost_ppm, record);
  }
}

// Silent is what no worker hears.
void ControlServer::on_silence(SessionRecord& record) {
  const bool is_silent = std::ranges::all_of(record.shares, [](const auto& share) {
    return !share->receives || share->progress.is_silent.load(std::memory_order_relaxed);
  });
  if (std::exchange(record.is_silent, is_silent) == is_silent) return;
  tell_event(is_silent ? EventKind::peer_silent : EventKind::peer_heard, 0, record);
}

void ControlServer::on_timer(Time now) {
  for (const SessionRecord* const record : lanes_.look(sessions_.all(), now))
    tell(ipc::Event{.kind = EventKind::lanes_turned,
                    .detail = record->info.lanes_in,
                    .link = record->info.link,
                    .session_id = record->info.session_id,
                    .silent_lanes = record->lanes.silent});
}

// A session that one worker ended (nobody spoke on it, it is too old) ends on all: half of one
// would go on sending what nobody takes.
void ControlServer::on_returned(SessionRecord& record, const Session& share,
                                ipc::RemovalReason reason) {
  record.holders &= ~bit_of(worker_of(record, share));
  if (!record.reason) record.reason = reason;
  if (record.holders != 0) return remove_everywhere(record);
  check(!holds_frames(record), "a worker gives sessions back with no frame held");
  lanes_.forget(record);
  // The keys go first: who has the reply may rely on it.
  record.shares.clear();
  record.probes.reset();
  if (record.remove.controller == connection_)
    tell(ipc::RemoveReply{
        .header = {.type = ipc::RemoveReply::type, .request = record.remove.number},
        .was_there = 1});
  tell_event(EventKind::session_removed, static_cast<std::uint32_t>(*record.reason), record);
  const bool was_doomed = record.is_doomed;
  sessions_.erase(record);
  is_expected_old_ = true;
  if (was_doomed && --doomed_ == 0) end_zeroize();
}

// Unless they were told already, all at once.
void ControlServer::remove_everywhere(SessionRecord& record) {
  if (record.is_leaving || record.is_doomed) return;
  record.is_leaving = true;
  record.to_remove = record.holders;
  give_orders(record);
}

// What finds no room in a worker's mailbox is tried again in a later turn: these orders are neither
// lost nor late by much.
void ControlServer::give_orders(SessionRecord& record) {
  const auto give = [&](Command::Kind kind, WorkerSet& to) {
    for (WorkerSet left = to &= record.holders; left != 0; left &= left - 1) {
      const auto worker = static_cast<std::size_t>(std::countr_zero(left));
      if (plane_.command(worker, {.kind = kind, .session = record.shares[worker].get()}))
        to &= ~bit_of(worker);
    }
    has_orders_ |= to != 0;
  };
  give(Command::Kind::begin, record.to_begin);
  give(Command::Kind::confirm, record.to_confirm);
  give(Command::Kind::remove, record.to_remove);
}

void ControlServer::on_moved(const SessionRecord& record) {
  tell(ipc::Event{.kind = EventKind::peer_moved,
                  .link = record.info.link,
                  .session_id = record.info.session_id,
                  .peer = record.info.peer});
  is_expected_old_ = true;
}

void ControlServer::on_path(SessionRecord& record, std::uint16_t frame_size) {
  record.path_frame = frame_size;
  tell_event(EventKind::path_frame, frame_size, record);
}

void ControlServer::on_handshake(const Endpoint& from, Bytes datagram) {
  ipc::Punt punt;
  if (datagram.size() > punt.datagram.bytes.size()) return;
  punt.datagram.peer = ipc::to_wire(from);
  punt.datagram.length = static_cast<std::uint16_t>(datagram.size());
  std::ranges::copy(datagram, punt.datagram.bytes.begin());
  pass_up(punt);
}

void ControlServer::on_inside(Spi spi, Bytes message) {
  const SessionRecord* record = sessions_.find(spi);
  ipc::PuntInside punt;
  if (record == nullptr || message.size() != punt.message.bytes.size()) return;
  punt.message.session_id = record->info.session_id;
  std::ranges::copy(message, punt.message.bytes.begin());
  pass_up(punt);
}

}  // namespace penstock::dataplane
