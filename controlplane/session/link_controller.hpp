// One link's whole life: attempts, sessions, rekeys, and why it is down. Sans-IO: datagrams,
// replies and a clock come in; actions and a deadline go out. The shell (controlplane/shell)
// carries the actions out; the simulation and the tests drive the same code.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "penstock/base/address.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/config/site_config.hpp"
#include "penstock/crypto/identity.hpp"
#include "penstock/crypto/key_schedule.hpp"
#include "penstock/ipc/messages.hpp"
#include "penstock/keys/secret.hpp"

#include "controlplane/handshake/entropy.hpp"
#include "controlplane/handshake/route.hpp"
#include "controlplane/session/handshake_book.hpp"

namespace penstock::controlplane {

// --- what the controller wants done, in order --------------------------------------
struct SendDatagram {
  Endpoint to;
  std::vector<std::byte> bytes;
};
// The same inside a living session.
struct SendInside {
  ipc::SessionId session_id;
  std::vector<std::byte> bytes;
};
struct Install {
  std::uint32_t request;  // comes back in on_install_reply
  SecretBox<ipc::InstallSession> message;
};
struct Remove {
  ipc::SessionId session_id;
};
// A line for the operator; already rate-limited.
struct Notice {
  // `error` is written whatever log_level is.
  enum class Kind : std::uint8_t { info, warning, error } kind;
  std::string text;
};
// Look up the address of the link's endpoint_name; on_resolved has the answer.
struct Resolve {
  std::string host;
};
// Where the far side is expected from now on; port 0: nowhere in particular.
struct ExpectPeer {
  Endpoint peer;
};
// A confirmed session proved the new key: write down that the old one, known by this, is neither
// offered nor accepted any more. Asked again until on_old_key_retired says that it is written.
struct RetireOldKey {
  crypto::KeyFingerprint old_key;
};
// A security event, for the audit log.
struct Audit {
  std::string_view event;  // one word, such as key_rotated
  std::string text;
};
using Action = std::variant<SendDatagram, SendInside, Install, Remove, Notice, Resolve, ExpectPeer,
                            RetireOldKey, Audit>;

// What the data plane is, as its hello_reply says.
struct DataplaneFacts {
  ipc::BootId boot_id{};
  std::uint16_t max_frame_size = 0;
  std::uint16_t lanes = 1;
  bool takes_offload = false;
};

// Shared by all links of a site: which session slots of the data plane are taken
// (controlplane/session/slot_allocator.hpp).
class SlotAllocator;

struct LinkStatus {
  enum class State : std::uint8_t { down, connecting, up } state = State::down;
  // Where a change of the long-term key stands.
  struct Key {
    enum class State : std::uint8_t {
      none,        // wiped
      only,        // no old one in the config
      new_proved,  // the old one is retired, and may leave the config
      old_in_use,  // no session has proved the new one yet
    } state = State::none;
    crypto::KeyFingerprint newest{};
    std::optional<crypto::KeyFingerprint> old = std::nullopt;  // where it is known
  };

  // Why it is not up, or stopped by its circuit breaker, or will not stay up; else empty.
  std::string reason;
  std::string peer;
  Endpoint endpoint;          // where the config says; port 0: nowhere, or its name has none yet
  std::string endpoint_name;  // of the config
  bool lists_null = false;    // its config allows a NULL suite
  Key key;
  std::optional<ipc::SessionId> session_id;  // the current one, silent or not
  std::optional<ipc::Role> role;
  Time established{};  // when it was confirmed
  Time since{};        // when the link last came up or went down
  std::uint64_t handshakes_completed = 0;
  std::uint64_t handshakes_failed = 0;  // attempts that ended without a session
  std::uint64_t messages_refused = 0;   // handshake messages that did not authenticate
  HandshakeBook handshakes;             // the same in detail
  std::uint64_t silences = 0;           // how often nothing came from the far side for dead_after
  std::string stop = {};                // by its circuit breaker, and what to do; else empty
  std::size_t steps = 0;                // of mode quantized, by its config
};

class LinkController {
 public:
  struct Setup {
    std::string site_name;
    std::uint32_t link_index = 0;
    LinkConfig config;
    crypto::FileKey file_key;                     // K of the key file
    std::optional<crypto::FileKey> old_file_key;  // of the old one; empty: none, or retired
    std::shared_ptr<const crypto::IdentityKey> identity = nullptr;  // where peer_identity is set
  };
  // Slots and entropy outlive the controller.
  LinkController(Setup setup, SlotAllocator& slots, Entropy& entropy, Time now);
  ~LinkController();
  LinkController(LinkController&&) noexcept;

  // The data plane came (with the sessions it still has on this link) or went.
  void on_dataplane_up(const DataplaneFacts& facts, std::vector<ipc::SessionInfo> living, Time now);
  void on_dataplane_down(Time now);
  // A handshake message; false when neither its key id nor the session that it came through is
  // this link's, so try the next link.
  [[nodiscard]] bool on_datagram(const Route& from, Bytes datagram, Time now);
  // A handshake datagram that no link claimed. Tell every link; the one whose endpoint it
  // came from says that the far side does not hold the same key.
  void on_unclaimed(const Endpoint& from, Bytes datagram, Time now);
  void on_install_reply(std::uint32_t request, ipc::InstallResult result, Time now);
  void on_event(const ipc::Event& event, Time now);
  void on_timer(Time now);
  // The operator wants a new session now (`penstock rekey`).
  void rekey(Time now);
  // What the name has for an address; empty: nothing now.
  void on_resolved(const std::optional<IpAddress>& address, Time now);

  // The config or the keys of this link were read again (`penstock reload`). The living session
  // stays; where the next one would be another, a rekey is due at once. False: nothing changed.
  // The peer's name and the site's are as they were.
  [[nodiscard]] bool reconfigure(Setup new_setup, Time now);
  // It is written down that this key is retired: from now on an old key in a Setup is one that the
  // operator had restored. Before that it is dropped, where it is this one.
  void on_old_key_retired(const crypto::KeyFingerprint& old_key);
  // The link is in the config no longer: its sessions end. Nothing but its last actions may be
  // asked of it afterwards.
  void retire(Time now);
  // Wipes every key that this link has, and what was made from it; it answers nothing until
  // reconfigure brings keys. `who`, for the reason that the status gives. The keys of its sessions
  // are the data plane's to wipe.
  void zeroize(std::string_view who, Time now);

  // Call after every input: what to do now, and when on_timer is due next.
  [[nodiscard]] std::vector<Action> take_actions();
  [[nodiscard]] std::optional<Time> deadline() const;
  // `breaker`: by the data plane's figures, which know of one that opened before we started.
  [[nodiscard]] LinkStatus status(ipc::BreakerState breaker = ipc::BreakerState::closed) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace penstock::controlplane
