// The life of a link's sessions as the worker lives it: installed and unconfirmed, current once
// a good frame came, retiring once a later one was confirmed, removed. Decides and moves
// nothing: what must be done comes out as a list, so that tests run it on virtual time.
// Source: docs/protocol.md, "Activation".
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "penstock/base/clock.hpp"

#include "dataplane/session/session_table.hpp"

namespace penstock::dataplane {

// What the worker does for a session, in this order.
struct LifeAction {
  enum class Kind : std::uint8_t {
    send_dummy,   // a frame without packets, now
    confirmed,    // tell the main core: it is what the link sends on
    finish_open,  // seal its open frame: nothing more is packed into it
    remove,       // take it out of the table, give it back with `reason`
  };
  Kind kind{};
  ipc::RemovalReason reason{};
  Session* session = nullptr;
};

class SessionLife {
 public:
  explicit SessionLife(SessionTable& table) : table_(table) {}

  void install(Session& session, Time now);
  // A frame of the session was admitted. Cheap when there is nothing to decide.
  void good_frame(Session& session, Time now) {
    session.progress.last_good.store(now.count(), std::memory_order_relaxed);
    if (session.state() == ipc::SessionState::unconfirmed || now < session.answers_end)
      decide(session, now);
  }
  void remove(Session& session, ipc::RemovalReason reason);
  // Everything that is due; call when deadline() has passed.
  void expire(Time now);
  // When expire() has something to do next; Time::max() if never.
  [[nodiscard]] Time deadline() const { return deadline_; }

  // What to do now, valid until the next call of any other member.
  [[nodiscard]] std::span<const LifeAction> take_actions();

 private:
  void decide(Session& session, Time now);
  void confirm(Session& session, Time now);
  void retire(Session& session, Time now);
  void expire(Session& session, Time now);
  [[nodiscard]] Time deadline_of(const Session& session) const;
  void update_deadline();
  void push(LifeAction::Kind kind, Session& session, ipc::RemovalReason reason = {});

  SessionTable& table_;
  Time deadline_ = Time::max();
  std::size_t action_count_ = 0;
  // A session causes at most a removal and three more between two takes.
  std::array<LifeAction, 4 * SessionTable::capacity> actions_{};
};

}  // namespace penstock::dataplane
