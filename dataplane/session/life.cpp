#include "dataplane/session/life.hpp"

#include <algorithm>

#include "penstock/base/check.hpp"
#include "penstock/base/limits.hpp"

namespace penstock::dataplane {
namespace {

using ipc::RemovalReason;
using ipc::SessionState;
using Kind = LifeAction::Kind;
using namespace std::chrono_literals;

// The responder's answer to the first good frame may be lost, and the initiator then asks
// again; but a stream of frames needs no stream of answers.
constexpr Time answer_pause = 50ms;

}  // namespace

void SessionLife::install(Session& session, Time now) {
  table_.insert(session);
  session.set_state(SessionState::unconfirmed);
  session.state_ends = now + limits::confirm_within;
  if (session.role == ipc::Role::initiator) {
    session.confirm_wait = limits::confirm_retry_first;
    session.confirm_at = now + session.confirm_wait;
    push(Kind::send_dummy, session);
  } else {
    session.confirm_at = Time::max();
  }
  update_deadline();
}

void SessionLife::decide(Session& session, Time now) {
  if (session.state() == SessionState::unconfirmed) {
    confirm(session, now);
  } else if (now >= session.last_sealed + answer_pause) {
    session.last_sealed = now;
    push(Kind::send_dummy, session);
  }
}

void SessionLife::confirm(Session& session, Time now) {
  Session* old = table_.current(session.link);
  if (old != nullptr && old->order > session.order) {
    retire(session, now);  // a later session is confirmed already; this one only receives
  } else {
    session.set_state(SessionState::current);
    table_.set_current(session.link, &session);
    push(Kind::confirmed, session);
    if (old != nullptr) {
      push(Kind::finish_open, *old);
      retire(*old, now);
    }
  }
  if (session.role == ipc::Role::responder) {
    session.answers_end = now + limits::confirm_within;
    session.last_sealed = now;
    push(Kind::send_dummy, session);
  }
  update_deadline();
}

void SessionLife::retire(Session& session, Time now) {
  session.set_state(SessionState::retiring);
  session.state_ends = now + limits::grace;
}

void SessionLife::remove(Session& session, RemovalReason reason) {
  push(Kind::remove, session, reason);
}

void SessionLife::expire(Time now) {
  for (Session* session : table_.all()) expire(*session, now);
  update_deadline();
}

void SessionLife::expire(Session& session, Time now) {
  const SessionState state = session.state();
  if (now >= session.installed_at + session.max_age) return remove(session, RemovalReason::max_age);
  if (state == SessionState::current) return;
  if (now >= session.state_ends)
    return remove(session, state == SessionState::unconfirmed ? RemovalReason::unconfirmed
                                                              : RemovalReason::replaced);
  if (state == SessionState::unconfirmed && now >= session.confirm_at) {
    session.confirm_wait = std::min(2 * session.confirm_wait, Time{limits::confirm_retry_last});
    session.confirm_at = now + session.confirm_wait;
    push(Kind::send_dummy, session);
  }
}

Time SessionLife::deadline_of(const Session& session) const {
  Time due = session.installed_at + session.max_age;
  if (session.state() != SessionState::current) due = std::min(due, session.state_ends);
  if (session.state() == SessionState::unconfirmed) due = std::min(due, session.confirm_at);
  return due;
}

void SessionLife::update_deadline() {
  deadline_ = Time::max();
  for (const Session* session : table_.all())
    deadline_ = std::min(deadline_, deadline_of(*session));
}

void SessionLife::push(LifeAction::Kind kind, Session& session, RemovalReason reason) {
  check(action_count_ < actions_.size(), "the worker takes the actions of every call");
  actions_[action_count_++] = {.kind = kind, .reason = reason, .session = &session};
}

std::span<const LifeAction> SessionLife::take_actions() {
  const std::size_t count = action_count_;
  action_count_ = 0;
  return std::span{actions_}.first(count);
}

}  // namespace penstock::dataplane
