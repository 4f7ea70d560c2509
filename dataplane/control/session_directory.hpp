// The main core's list of living sessions: decides what may be installed, makes the workers'
// shares of it, and knows which request of which controller waits for which worker.
#pragma once

#include <cstdint>
#include <cstring>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/base/clock.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/crypto/frame_engine.hpp"
#include "penstock/ipc/messages.hpp"

#include "dataplane/endpoint/next_hops.hpp"
#include "dataplane/probing/probe_sas.hpp"
#include "dataplane/seat.hpp"
#include "dataplane/session/link_lane.hpp"
#include "dataplane/session/session.hpp"
#include "dataplane/wire_identity.hpp"

namespace penstock::dataplane {

// A request of a controller that is answered when all workers have done their part.
struct PendingRequest {
  std::uint64_t controller = 0;  // which connection; 0: nobody waits
  std::uint32_t number = 0;
};

// A bit each.
using WorkerSet = std::uint64_t;
static_assert(limits::max_lanes <= 64);
[[nodiscard]] constexpr WorkerSet bit_of(std::size_t worker) { return WorkerSet{1} << worker; }

// A bit each: bit l for lane l.
using LaneSet = std::uint64_t;
static_assert(limits::max_lanes <= 64);

// Of a session's lanes in; kept by the LaneWatch.
struct LanesHeard {
  bool is_watched = false;
  Time since{};        // no lane's silence is counted from before
  LaneSet silent = 0;  // as last told
};

struct SessionRecord {
  ipc::SessionInfo info;  // what never changes; header, state and counts are filled in later
  Time installed_at{};
  IpAddress next_hop;                            // towards info.peer
  std::vector<std::unique_ptr<Session>> shares;  // one a worker; freed together
  std::size_t installed_by = 0;                  // workers that have taken their share
  WorkerSet holders = 0;       // workers that were given their share and have not given it back
  WorkerSet confirmed_by = 0;  // workers that send on it
  WorkerSet to_begin = 0;      // of them, those that wait to be told that it may begin,
  WorkerSet to_confirm = 0;    // that it is confirmed,
  WorkerSet to_remove = 0;     // or removed: their mailboxes were full
  std::optional<ipc::RemovalReason> reason;  // of the first worker that gave it back
  bool was_confirmed = false;                // by all, and told
  bool is_leaving = false;                   // all workers were told to remove it, or will be
  bool was_rekey_told = false;
  bool is_silent = false;  // peer_silent was the last thing told
  LanesHeard lanes;
  std::size_t place = 0;  // in the directory's list
  PendingRequest install;
  PendingRequest remove;
  bool is_doomed = false;                     // an order to wipe all keys waits for it
  std::unique_ptr<probing::ProbeSas> probes;  // null: it has no keys for them
  std::uint16_t path_frame = 0;               // that path_frame last told of it; 0: nothing
};

class SessionDirectory {
 public:
  struct Setup {
    ipc::BootId boot_id{};
    std::uint16_t max_frame_size = 0;
    WireIdentity self;
    std::vector<HeldBudget*> held;  // one a worker
    bool lab = false;               // takes sessions without protection
  };
  SessionDirectory(Setup setup, const FrameEngine& engine, endpoint::NextHops& hops)
      : setup_(std::move(setup)), engine_(engine), hops_(hops), by_slot_(limits::max_sessions) {}

  // Checks and builds; the caller hands the shares to the workers.
  [[nodiscard]] std::expected<SessionRecord*, ipc::InstallResult> install(
      const ipc::InstallSession& message, Time now);
  // Forgets a session whose shares have all come back; its keys are wiped.
  void erase(const SessionRecord& record);

  [[nodiscard]] std::uint16_t max_frame_size() const { return setup_.max_frame_size; }
  [[nodiscard]] SessionRecord* find(const ipc::SessionId& id);
  [[nodiscard]] static SessionRecord* find(const Session& share) { return share.record; }
  // That receives on this SPI.
  [[nodiscard]] SessionRecord* find(Spi local_spi);
  [[nodiscard]] std::span<const std::unique_ptr<SessionRecord>> all() const { return records_; }
  // Of a million frames of the link's worst lane that its circuit breaker stopped; 0: none is.
  [[nodiscard]] std::uint32_t stopped_ppm(std::uint32_t link) const;
  // Of every link that ever had frames that are timed, as the workers last said it.
  [[nodiscard]] std::vector<ipc::LinkStats> link_stats() const;

 private:
  [[nodiscard]] ipc::InstallResult judge(const ipc::InstallSession& message) const;
  // Ids are outputs of a hash function already.
  struct HashId {
    std::size_t operator()(const ipc::SessionId& id) const {
      std::size_t head = 0;
      std::memcpy(&head, id.data(), sizeof head);
      return head;
    }
  };
  [[nodiscard]] std::unique_ptr<Session> make_share(const ipc::InstallSession& message,
                                                    std::size_t worker, Time now);
  void give_outbound(Session& session, const ipc::InstallSession& message, Seat seat, Time now);
  void give_inbound(Session& session, const ipc::InstallSession& message, Seat seat);
  // Of the session's link and the worker; made at the link's first session whose frames are timed.
  [[nodiscard]] LinkLane& lane(const Session& session, std::size_t worker, Time now);

  Setup setup_;
  const FrameEngine& engine_;
  endpoint::NextHops& hops_;
  std::vector<std::unique_ptr<SessionRecord>> records_;
  std::unordered_map<ipc::SessionId, SessionRecord*, HashId> by_id_;
  std::vector<SessionRecord*> by_slot_;  // of local SPIs
  // Of this life of the process, all of them: a session is never started twice.
  std::set<ipc::SessionId> seen_;
  // By link and worker. Workers have pointers to them until they end.
  std::map<std::pair<std::uint32_t, std::size_t>, std::unique_ptr<LinkLane>> lanes_;
  std::uint64_t installed_ = 0;
};

// What list_sessions says of it.
[[nodiscard]] ipc::SessionInfo describe(const SessionRecord& record, Time now);

}  // namespace penstock::dataplane
