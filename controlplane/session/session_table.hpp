// The sessions that the data plane has for one link, as the controller knows them.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "penstock/base/clock.hpp"
#include "penstock/crypto/identity.hpp"
#include "penstock/crypto/key_schedule.hpp"
#include "penstock/ipc/messages.hpp"

#include "controlplane/session/handshake_book.hpp"
#include "controlplane/session/slot_allocator.hpp"

namespace penstock::controlplane {

struct Session {
  ipc::SessionId id{};
  ipc::Role role{};
  std::optional<Suite> suite;    // empty: one that this version does not know
  std::uint8_t tag = 0;          // bytes
  std::uint16_t frame_size = 0;  // bytes; what we offered was no less
  std::uint16_t offered = 0;
  ipc::SessionState state = ipc::SessionState::unconfirmed;
  SlotLease slot;
  Endpoint peer;  // where its frames go
  Time installed_at{};
  Time rekey_at{};                   // while it is current
  Time confirmed_at{};               // once it is
  std::optional<Time> silent_since;  // when nothing good had come on it for dead_after

  // Of its handshake; empty: another control process's.
  std::optional<HandshakeStory> story = std::nullopt;

  // What both sides had to prove; of another control process's session: what the config asked for
  // when it was taken over.
  std::optional<crypto::KeyFingerprint> key = std::nullopt;
  struct Identities {
    IdentityPublic own;
    IdentityPublic peer;
  };
  std::optional<Identities> identities = std::nullopt;  // empty: none
  ShapeMode mode{};
  // It was made before something was configured that it lacks.
  struct Outdated {
    std::string_view before;
    Time ends_at{};
  };
  std::optional<Outdated> outdated = std::nullopt;

  [[nodiscard]] bool is_silent() const { return silent_since.has_value(); }
};

class SessionTable {
 public:
  void add(Session session) { sessions_.push_back(std::move(session)); }
  void clear() { sessions_.clear(); }

  // The session becomes current and the one before retiring. Null when it is unknown.
  Session* confirm(const ipc::SessionId& id, Time now);
  // Empty when it is unknown.
  [[nodiscard]] std::optional<Session> remove(const ipc::SessionId& id);

  // Those of them that nobody has spoken on yet.
  [[nodiscard]] std::vector<ipc::SessionId> remove_unconfirmed(
      const std::function<bool(const Session&)>& is_one);

  [[nodiscard]] Session* current();
  [[nodiscard]] const Session* current() const;
  [[nodiscard]] bool has_unconfirmed() const;
  [[nodiscard]] std::vector<ipc::SessionId> ids() const;
  [[nodiscard]] Session* find(const ipc::SessionId& id);
  [[nodiscard]] const Session* find(const ipc::SessionId& id) const;

 private:
  std::vector<Session> sessions_;
};

}  // namespace penstock::controlplane
