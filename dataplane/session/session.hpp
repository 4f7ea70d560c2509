// A session as one worker has it, its share: its SAs, and how far its life has come. Made by the
// main core, lived by the worker, freed by the main core after all workers gave theirs back.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "penstock/base/address.hpp"
#include "penstock/base/prefetch.hpp"
#include "penstock/ipc/messages.hpp"

#include "dataplane/session/due_heap.hpp"
#include "dataplane/session/punt_rate.hpp"
#include "dataplane/session/sa.hpp"

namespace penstock::dataplane {

// Written by the worker, read by the main core for session_info; each value on its own.
struct SessionProgress {
  std::atomic<ipc::SessionState> state{ipc::SessionState::unconfirmed};
  std::atomic<std::uint64_t> frames_sealed{0};
  std::atomic<std::uint64_t> frames_opened{0};
  std::atomic<std::uint64_t> failed_opens{0};
  std::atomic<std::int64_t> last_good{0};     // Time; 0: no good frame came yet
  std::atomic<bool> is_silent{false};         // nothing good came for dead_after
  std::atomic<bool> has_breaker_note{false};  // as the next
  // The worker sets it with a note that is_silent has turned; the main core clears it before it
  // looks. So at most one such note is under way.
  std::atomic<bool> has_silence_note{false};
};

// What was heard on a lane, by the worker's looks at it: at least one in limits::keepalive, so it
// may say so much later than it was. Read by the main core, which judges.
struct LaneEar {
  std::uint64_t next = 0;           // the lane's window, at the last look; the worker's alone
  std::atomic<std::int64_t> at{0};  // Time of the look that found frames; 0: none came yet
};

// Frames of a session that roams which came from elsewhere than its frames go, and which the
// main core was not told of yet.
struct Sighting {
  Endpoint from;
  std::uint32_t frames = 0;
  Time told_at{};  // of any
};

struct SessionRecord;
struct LinkLane;

struct Session {
  // --- constant from install on ---------------------------------------------------
  ipc::SessionId id{};
  std::uint32_t link = 0;
  ipc::Role role{};
  Spi local_spi_base;
  bool roams = false;       // lane 0 is watched for a new address of the far side
  std::uint64_t order = 0;  // sessions installed later have more
  Time installed_at{};
  Time max_age{};
  Time hold{};                      // how long an open frame waits for more packets
  Time dead_after{};                // silence that is told; 0: none is
  ipc::SiteName peer_name{};        // the far site: numbers of links are given again
  std::uint16_t vlan = 0;           // packets that are the link's; 0: what no other link takes
  SessionRecord* record = nullptr;  // the main core's; the worker leaves it alone
  ipc::Shaping shaping;
  LinkLane* lane = nullptr;     // the link's, where the session's frames are timed; else null
  std::uint16_t lanes_out = 1;  // that the site sends on
  bool awaits_begin = false;    // its initiator speaks only once every worker can hear the answer
  bool is_shared = false;       // among several workers
  bool receives = true;         // this worker: `in` is not empty

  // --- the worker's ---------------------------------------------------------------
  IpAddress next_hop;             // whose MAC address the outer headers need
  OuterAddresses route;           // its frames', this worker's lane
  std::optional<OutboundSa> out;  // the lane this worker sends on
  std::vector<InboundSa> in;      // the lanes this worker receives (its seat's), by lane
  std::vector<LaneEar> ears;      // of `in`; none where the far side has one lane
  Time confirm_until{};           // of unconfirmed: its own frames confirm it before that
  Time state_ends{};              // of unconfirmed and retiring: when the session is removed
  Time confirm_at{};              // the initiator's next dummy while unconfirmed
  Time confirm_wait{};
  Time answers_end{};               // the responder answers frames until then
  Time current_since{};             // silence is counted from then at the earliest
  std::size_t due_place = not_due;  // among the sessions of SessionLife
  bool rekey_told = false;
  Sighting sighting;
  // What may come up out of it: many times what a far side needs, and a small part of what all may
  // together. One that is hostile or broken stops its own rekeys and roaming, and no other's.
  PuntRate heard_rate{16, 50};  // handshake messages
  PuntRate trace_rate{8, 20};   // challenges and responses
  PuntRate probe_rate{8, 20};   // path probes and answers
  PuntRate stray_rate{4, 5};    // the same, not from where its frames go
  PuntRate report_rate{2 * limits::max_lanes, 2 * limits::max_lanes};  // of other workers' lanes

  // --- the worker's, for every frame: one line -------------------------------------
  // A good frame before that is something to decide about.
  alignas(64) Time attentive_until{Time::max()};
  Time last_sealed{};
  SessionProgress progress;
  static_assert(2 * sizeof(Time) + sizeof(SessionProgress) <= 64);

  // A frame of the session is about to be sealed or opened.
  void fetch() const { prefetch(&attentive_until); }

  [[nodiscard]] ipc::SessionState state() const {
    return progress.state.load(std::memory_order_relaxed);
  }
  void set_state(ipc::SessionState state) {
    progress.state.store(state, std::memory_order_relaxed);
  }
};

}  // namespace penstock::dataplane
