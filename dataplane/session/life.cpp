#include "dataplane/session/life.hpp"

#include <algorithm>
#include <utility>

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

// So much later than its own frames may confirm it a share gives up: another's may have.
constexpr Time told_within = 1s;

// A session causes at most a removal and three more between two takes.
constexpr std::size_t most_actions = 4 * SessionTable::capacity;

// When it was last known that the far side is there: another worker may have been the one to hear
// the frame that confirmed the session.
Time last_good(const Session& session) {
  return std::max(Time{session.progress.last_good.load(std::memory_order_relaxed)},
                  session.current_since);
}

bool is_silent(const Session& session) {
  return session.progress.is_silent.load(std::memory_order_relaxed);
}

bool watches_silence(const Session& session) {
  return session.receives && session.dead_after != Time{} && !is_silent(session);
}

void listen(Session& session, Time now) {
  for (std::size_t i = 0; i < session.ears.size(); ++i) {
    LaneEar& ear = session.ears[i];
    const std::uint64_t next = session.in[i].window.next();
    if (std::exchange(ear.next, next) != next) ear.at.store(now.count(), std::memory_order_relaxed);
  }
}

}  // namespace

SessionLife::SessionLife(SessionTable& table) : table_(table), actions_(most_actions) {}

void SessionLife::install(Session& session, Time now) {
  table_.insert(session);
  session.set_state(SessionState::unconfirmed);
  // Where there are others, its own frames confirm it no longer when others may give up on it: one
  // that had a good frame just before is heard of by all in time.
  session.confirm_until = session.is_shared ? now + limits::confirm_within : Time::max();
  session.state_ends = !session.receives   ? Time::max()
                       : session.is_shared ? session.confirm_until + told_within
                                           : now + limits::confirm_within;
  session.confirm_at = Time::max();
  if (session.role == ipc::Role::initiator && !session.awaits_begin) speak_first(session, now);
  attend(session);
  deadlines_.set(session, deadline_of(session));
}

void SessionLife::begin(Session& session, Time now) {
  if (!std::exchange(session.awaits_begin, false)) return;
  if (session.state() != SessionState::unconfirmed) return;
  speak_first(session, now);
  deadlines_.set(session, deadline_of(session));
}

void SessionLife::speak_first(Session& session, Time now) {
  session.confirm_wait = limits::confirm_retry_first;
  session.confirm_at = now + session.confirm_wait;
  speak(session, now);
}

void SessionLife::decide(Session& session, Time now) {
  if (session.state() == SessionState::unconfirmed) {
    if (now < session.confirm_until) confirm(session, now);
    return;
  }
  if (is_silent(session)) turn_silence(session, false);
  if (now < session.answers_end && now >= session.last_sealed + answer_pause) speak(session, now);
}

void SessionLife::confirm(Session& session, Time now) {
  Session* old = table_.current(session.link);
  if (old != nullptr && old->order > session.order) {
    retire(session, now);  // a later session is confirmed already; this one only receives
  } else {
    session.set_state(SessionState::current);
    session.current_since = now;
    table_.set_current(session.link, &session);
    push(Kind::confirmed, session);
    if (old != nullptr) {
      push(Kind::finish_open, *old);
      retire(*old, now);
    }
  }
  if (session.role == ipc::Role::responder) {
    session.answers_end = now + limits::confirm_within;
    speak(session, now);
  }
  attend(session);
  deadlines_.set(session, deadline_of(session));
}

void SessionLife::retire(Session& session, Time now) {
  session.set_state(SessionState::retiring);
  session.state_ends = now + limits::grace;
  // Whether the far side is there is the current session's to tell.
  session.progress.is_silent.store(false, std::memory_order_relaxed);
  attend(session);
  deadlines_.set(session, deadline_of(session));
}

void SessionLife::remove(Session& session, RemovalReason reason) {
  deadlines_.erase(session);
  push(Kind::remove, session, reason);
}

void SessionLife::speak(Session& session, Time now) {
  session.last_sealed = now;  // also where the frame fails: the next one has its time
  push(Kind::send_dummy, session);
}

void SessionLife::turn_silence(Session& session, bool is_silent) {
  session.progress.is_silent.store(is_silent, std::memory_order_relaxed);
  attend(session);
  deadlines_.set(session, deadline_of(session));
  push(Kind::silence_turned, session);
}

// Until when a good frame is something to decide about.
void SessionLife::attend(Session& session) {
  const bool always = session.state() == SessionState::unconfirmed || is_silent(session);
  session.attentive_until = always ? Time::max() : session.answers_end;
}

void SessionLife::expire(Time now) {
  while (deadlines_.first() <= now) {
    Session& session = *deadlines_.first_item();
    expire(session, now);
    if (session.due_place != not_due) deadlines_.set(session, deadline_of(session));
  }
}

void SessionLife::expire_current(Session& session, Time now) {
  listen(session, now);
  if (watches_silence(session) && now >= last_good(session) + session.dead_after)
    turn_silence(session, true);
  if (now >= session.last_sealed + limits::keepalive) speak(session, now);
}

void SessionLife::expire(Session& session, Time now) {
  const SessionState state = session.state();
  if (now >= session.installed_at + session.max_age) return remove(session, RemovalReason::max_age);
  if (state == SessionState::current) return expire_current(session, now);
  if (now >= session.state_ends)
    return remove(session, state == SessionState::unconfirmed ? RemovalReason::unconfirmed
                                                              : RemovalReason::replaced);
  if (state == SessionState::unconfirmed && now >= session.confirm_at) {
    session.confirm_wait = std::min(2 * session.confirm_wait, Time{limits::confirm_retry_last});
    session.confirm_at = now + session.confirm_wait;
    if (session.confirm_at >= session.confirm_until) session.confirm_at = Time::max();
    speak(session, now);
  }
}

Time SessionLife::deadline_of(const Session& session) {
  const Time end = session.installed_at + session.max_age;
  if (session.state() == SessionState::unconfirmed)
    return std::min({end, session.state_ends, session.confirm_at});
  if (session.state() == SessionState::retiring) return std::min(end, session.state_ends);
  const Time due = std::min(end, session.last_sealed + limits::keepalive);
  return watches_silence(session) ? std::min(due, last_good(session) + session.dead_after) : due;
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
