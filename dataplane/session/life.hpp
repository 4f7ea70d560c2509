// The life of a link's sessions as the worker lives it: installed and unconfirmed, current once
// a good frame came, retiring once a later one was confirmed, removed. The current one never says
// nothing for longer than limits::keepalive, and tells when the far side does. Decides and moves
// nothing: what must be done comes out as a list, so that tests run it on virtual time.
// Whenever it looks at the current one (at least every limits::keepalive) it notes what was heard
// on each lane. One that receives no lane of the session neither gives up on it nor finds it
// silent: the others do. Source: docs/protocol.md, "Activation" and "Keepalives".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "penstock/base/clock.hpp"

#include "dataplane/session/due_heap.hpp"
#include "dataplane/session/session_table.hpp"

namespace penstock::dataplane {

// What the worker does for a session, in this order.
struct LifeAction {
  enum class Kind : std::uint8_t {
    send_dummy,      // a frame without packets, now
    confirmed,       // tell the main core: it is what the link sends on
    silence_turned,  // tell the main core: progress.is_silent is not what it was
    finish_open,     // seal its open frame: nothing more is packed into it
    remove,          // take it out of the table, give it back with `reason`
  };
  Kind kind{};
  ipc::RemovalReason reason{};
  Session* session = nullptr;
};

class SessionLife {
 public:
  explicit SessionLife(SessionTable& table);

  void install(Session& session, Time now);
  // A frame of the session was admitted. Cheap when there is nothing to decide.
  void good_frame(Session& session, Time now) {
    session.progress.last_good.store(now.count(), std::memory_order_relaxed);
    if (now < session.attentive_until) [[unlikely]]
      decide(session, now);
  }
  // Every worker has its share: an initiator's that waited for that speaks.
  void begin(Session& session, Time now);
  // Another worker had a good frame of the session.
  void confirm_too(Session& session, Time now) {
    if (session.state() == ipc::SessionState::unconfirmed) confirm(session, now);
  }
  void remove(Session& session, ipc::RemovalReason reason);
  // Everything that is due; call when deadline() has passed.
  void expire(Time now);
  // When expire() looks at a session next; Time::max() if never.
  [[nodiscard]] Time deadline() const { return deadlines_.first(); }

  // What to do now, valid until the next call of any other member.
  [[nodiscard]] std::span<const LifeAction> take_actions();

 private:
  void decide(Session& session, Time now);
  void confirm(Session& session, Time now);
  void retire(Session& session, Time now);
  void expire(Session& session, Time now);
  void expire_current(Session& session, Time now);
  void speak(Session& session, Time now);
  void speak_first(Session& session, Time now);
  void turn_silence(Session& session, bool is_silent);
  static void attend(Session& session);
  [[nodiscard]] static Time deadline_of(const Session& session);
  void push(LifeAction::Kind kind, Session& session, ipc::RemovalReason reason = {});

  SessionTable& table_;
  // Of the sessions that are not on their way out. Each stands where it was due when it was last
  // looked at: traffic puts that off and moves nothing here.
  DueHeap<Session> deadlines_{SessionTable::capacity};
  std::size_t action_count_ = 0;
  std::vector<LifeAction> actions_;  // of the most that there can be
};

}  // namespace penstock::dataplane
