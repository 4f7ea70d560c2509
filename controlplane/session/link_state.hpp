// The inside of LinkController. One event of the outside is one method here.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "controlplane/handshake/initiator.hpp"
#include "controlplane/handshake/responder.hpp"
#include "controlplane/session/key_ring.hpp"
#include "controlplane/session/link_controller.hpp"
#include "controlplane/session/operator_view.hpp"
#include "controlplane/session/path_frame.hpp"
#include "controlplane/session/peer_address.hpp"
#include "controlplane/session/schedule.hpp"
#include "controlplane/session/session_table.hpp"

namespace penstock::controlplane {

inline constexpr std::string_view no_dataplane = "the data plane is not running";
inline constexpr std::string_view no_slot =
    "every session slot of the data plane is taken; remove links";

struct LinkController::State {
  State(Setup setup, SlotAllocator& slots, Entropy& entropy, Time now);

  // --- the data plane
  void dataplane_up(const DataplaneFacts& new_facts, const std::vector<ipc::SessionInfo>& living,
                    Time now);
  void dataplane_down(Time now);
  void install_reply(std::uint32_t request, ipc::InstallResult result, Time now);
  void confirmed(const ipc::SessionId& id, Time now);
  void removed(const ipc::SessionId& id, ipc::RemovalReason why, Time now);
  void rekey_wanted(const ipc::SessionId& id, Time now);
  void peer_silent(const ipc::SessionId& id, Time now);
  void peer_heard(const ipc::SessionId& id, Time now);
  void stopped(std::uint32_t lost_ppm);  // by the circuit breaker; of a million frames
  void resumed();
  void lanes_turned(const ipc::SessionId& id, unsigned count, std::uint64_t silent);

  // --- the far side
  [[nodiscard]] bool datagram(const Route& from, Bytes bytes, Time now);
  void unclaimed(const Endpoint& from, Bytes bytes, Time now);

  // --- the clock and the operator
  void timer(Time now);
  void rekey(Time now);
  void resolved(const std::optional<IpAddress>& address, Time now);
  void peer_moved(const ipc::SessionId& id, const Endpoint& to, Time now);
  void path_found(const ipc::SessionId& id, std::uint16_t size, Time now);
  [[nodiscard]] bool reconfigure(Setup setup, Time now);
  void old_key_retired(const crypto::KeyFingerprint& old_key);
  void retire(Time now);
  void zeroize(std::string_view who, Time now);
  [[nodiscard]] std::optional<Time> deadline() const;
  [[nodiscard]] LinkStatus status(ipc::BreakerState breaker) const;
  [[nodiscard]] std::vector<Action> take_actions();

 private:
  struct Attempt {
    Initiator initiator;
    SlotLease slot;
    Route route;  // of all its messages, both ways
    crypto::KeyFingerprint key;
    HandshakeStory story;
    bool is_answered = false;  // by a good message 2
  };
  // A session between its agreement and the data plane's reply.
  struct Pending {
    struct Reply {  // what R sends once it is installed
      Route to;
      crypto::KeyFingerprint key;
      crypto::Nonce nonce_initiator;
      Message message_4;
    };
    std::uint32_t request;
    Session session;
    std::optional<Reply> reply;
  };

  // What a changed key of the config is about.
  enum class Effect : std::uint8_t {
    none,
    address,     // where the far side is
    other_keys,  // long-term ones
    handshake,   // what R checks
    session,     // only what the next session is
    age,         // when it comes
  };
  struct Changes {
    std::string names;
    std::array<bool, 6> effects{};
    [[nodiscard]] bool has(Effect effect) const {
      return effects.at(static_cast<std::size_t>(effect));
    }
  };

  // The living sessions of a data plane that was there before us.
  void adopt(const std::vector<ipc::SessionInfo>& living, Time now);
  [[nodiscard]] std::optional<Time> silent_since(const ipc::SessionInfo& info, Time now) const;
  [[nodiscard]] bool may_carry_on(const ipc::SessionInfo& info);
  void announce_adopted();
  // A session is current, and the far side is heard on it.
  [[nodiscard]] bool is_up() const;
  [[nodiscard]] std::string silence() const;
  // Empty while all lanes of the far side are heard, or none.
  [[nodiscard]] std::string missing_lanes() const;
  // Empty while frames leave at their rate.
  [[nodiscard]] std::string stop(ipc::BreakerState breaker) const;

  void message_1(RingKey& key, const Route& from, Bytes bytes, Time now);
  void message_3(RingKey& key, const Route& from, Bytes bytes, Time now);
  void message_2_or_4(Bytes bytes, Time now);
  void answer(RingKey& key, const Route& from, const ProvenMessage3& proven, Time now);
  [[nodiscard]] bool own_attempt_wins(const crypto::Nonce& theirs) const;
  void wrong_identity(IdentityFault fault, Time now);
  // From where the far side is, or inside its session: counted by name.
  [[nodiscard]] bool is_refused_inside(const Route& from, Bytes bytes, Time now);
  void refuse_unclaimed(Bytes bytes, Time now);
  void count_refused(Verdict verdict, Time now);

  void start_due_attempt(Time now);
  void start_attempt(Time now);
  void attempt_over(Time now);  // its Initiator reached an end
  void met_silence(Time now);
  // ... with what our config says of it.
  [[nodiscard]] std::string explain(Refusal refusal) const;
  [[nodiscard]] HandshakeStory story_of_next(Time now) const;
  void failed(const HandshakeStory& story, HandshakeFailure failure, std::string why, Time now);
  void refused(const HandshakeStory& story, HandshakeFailure side, Refusal refusal, std::string why,
               Time now);
  void back_off(Time now);
  // When the next attempt is due; empty while there is no reason for one.
  [[nodiscard]] std::optional<Time> attempt_due() const;
  [[nodiscard]] const Identity* identity() const { return identity_ ? &*identity_ : nullptr; }
  void load_keys(Setup& setup);
  // The key of the next attempt: the new one, or after that met silence the old one.
  [[nodiscard]] RingKey& next_key();
  [[nodiscard]] bool is_new_key_unanswered() const;
  // A session under this key was confirmed.
  void proved(const crypto::KeyFingerprint& key, Time now);
  // Of what is agreed and nobody has spoken on yet.
  void drop_unconfirmed(const std::function<bool(const Session&)>& is_one);
  // Has it written down that the old key is retired, unless it is.
  void write_retirement();
  // A reload is no way back to a retired key.
  void keep_retired(Setup& setup);
  [[nodiscard]] LinkStatus::Key key_status() const;
  [[nodiscard]] Changes changes(const Setup& setup) const;
  [[nodiscard]] bool is_unlisted_null(const Session& session) const;
  void end_unlisted_null(Time now);
  // What a reload changed, the living session may lack: then it ends, at once or in a while.
  void judge_sessions(Time now);
  [[nodiscard]] std::optional<Session::Outdated> judge(const Session& session, Time now) const;
  void end_outdated(Time now);
  [[nodiscard]] std::optional<Time> next_end() const;
  // For the status; empty while the living session is not to end.
  [[nodiscard]] std::string coming_end() const;
  [[nodiscard]] std::optional<Session::Identities> identities() const;
  void age_anew();  // the living session, by the config's rekey_after
  void remove_all();
  void warn_of_null();
  void warn_of_size();  // of frames that the wire does not carry
  void rekey_now(HandshakeCause cause, Time now);
  void may_have_been_heard(Time now);
  [[nodiscard]] Parameters own_parameters(Spi spi_base) const;
  [[nodiscard]] std::uint16_t largest_frame() const;  // that we can send and receive
  [[nodiscard]] std::size_t outer_ip_header() const;  // bytes
  // By what probes say of the path, frames of the session's size do not pass.
  [[nodiscard]] bool is_too_large(const Session& session) const;
  void leave_larger_frames(const Session& current, Time now);
  void doubt_path(const Session& session, Time now);  // nothing was heard on it
  void install(const Agreement& agreement, Session session, std::optional<Pending::Reply> reply,
               Time now);
  // Whether the next attempt goes inside the living session: unless there is none, it carries no
  // handshakes or is silent, or too many attempts found no answer: then every other one goes in
  // the clear. All do where the far side's address is not said.
  [[nodiscard]] bool goes_inside() const;
  // By which the next attempt goes; in the clear the far side's address is known.
  [[nodiscard]] Route next_route() const;
  // Whether handshakes may pass inside: without `roam`, an address that only a cookie proved lasts
  // one session.
  [[nodiscard]] bool carries_handshakes(const Session& session) const {
    return config_.roam || session.peer == address_.endpoint();
  }
  // Where the far side's next message in the clear is expected to come from; port 0: anywhere.
  [[nodiscard]] Endpoint expected_peer() const;
  // Why the link is not up while nothing else is known.
  [[nodiscard]] std::string waiting() const;
  // For the operator: where the far side is, as well as is known.
  [[nodiscard]] std::string far_side() const;
  // Whether an attempt in the clear may start; if not, the name may have to be looked up first.
  [[nodiscard]] bool has_address(Time now);
  // Where frames of a session go that is agreed on this route.
  [[nodiscard]] Endpoint peer_on(const Route& route) const;
  [[nodiscard]] bool is_route_of_attempt(const Route& from) const;
  void send(const Route& to, const Message& message);
  [[nodiscard]] bool lists(Suite suite) const;
  [[nodiscard]] bool lists_null() const;
  void warn_unless_protected(const Session& session);

  LinkConfig config_;
  PeerAddress address_;
  std::string site_name_;
  std::uint32_t link_index_;
  SlotAllocator* slots_;
  Entropy* entropy_;
  std::optional<Identity> identity_;
  KeyRing keys_;          // empty: zeroized
  std::string zeroized_;  // by whom, and what to do; empty: it is not
  bool is_turn_of_old_ = false;
  std::optional<crypto::KeyFingerprint> retired_;  // the old key, since the new one proved good
  bool is_retirement_written_ = false;

  std::optional<DataplaneFacts> facts_;     // empty while there is no data plane
  std::optional<Endpoint> told_to_expect_;  // by the data plane
  std::optional<Attempt> attempt_;
  std::vector<Pending> pending_;
  SessionTable sessions_;
  Schedule schedule_;
  std::uint32_t next_request_ = 1;

  PathFrame path_frame_;

  HandshakeBook book_;
  HandshakeCause rekey_cause_ = HandshakeCause::age;  // of the next one
  std::uint64_t failed_in_a_row_ = 0;
  std::uint64_t silences_ = 0;             // how often the far side fell silent
  std::optional<std::uint32_t> lost_ppm_;  // since its breaker opened: what the path lost then
  struct {
    unsigned count = 0;
    std::uint64_t silent = 0;  // bit l for lane l
  } lanes_;                    // of the far side, as the data plane said last
  unsigned unanswered_ = 0;    // attempts in a row that met silence, or were refused
  Time since_;

  std::vector<Action> actions_;
  OperatorView view_;
};

}  // namespace penstock::controlplane
