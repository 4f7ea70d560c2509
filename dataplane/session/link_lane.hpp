// What a worker has of a link whose frames are timed, its lane: the clock, what waits for it, and
// the frame that leaves next. Every lane has its part of the link's rate. Made by the main core at
// the link's first such session, lived by the worker, and never freed before the end: the rhythm
// goes on whatever becomes of sessions.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "penstock/base/limits.hpp"
#include "penstock/ipc/messages.hpp"
#include "penstock/link/frame_report.hpp"
#include "penstock/link/pacer.hpp"
#include "penstock/link/packer.hpp"
#include "penstock/link/packet_queues.hpp"
#include "penstock/link/rate_control.hpp"

#include "dataplane/session/control_queue.hpp"
#include "dataplane/session/due_heap.hpp"
#include "dataplane/session/published.hpp"
#include "dataplane/session/session.hpp"

struct rte_mbuf;

namespace penstock::dataplane {

struct LinkLane {
  // What may wait in the queues: what the rate carries in the time that a packet may wait, but
  // never less than a few packets of the longest kind, nor more than a link may cost in memory.
  static constexpr std::size_t least_queue = std::size_t{64} << 10;
  static constexpr std::size_t most_queue = std::size_t{8} << 20;

  // The block that is being packed; it may need several frames, and all are of one SA.
  struct Hand {
    std::optional<BlockSource> block;
    OutboundSa* sa = nullptr;
    std::uint8_t dscp = 0;   // of the packet, where the SA copies it
    bool is_packet = false;  // the queues' next; else the control queue's first
  };
  // A control block that goes its own way (roaming), and waits only for a block in hand to end.
  struct Apart {
    OutboundSa* sa = nullptr;
    OuterHeader way;
    std::size_t length = 0;
    std::array<std::byte, control_header + challenge_nonce> bytes{};
  };

  LinkLane(std::uint32_t of, const ipc::Shaping& first, std::uint64_t phase, Time now);

  [[nodiscard]] bool is_capped() const { return shaping.mode == ShapeMode::burst; }
  // The circuit breaker is open. Frames go on as slowly as keepalives, each sealed when it leaves,
  // so that what it reports is fresh.
  [[nodiscard]] bool is_stopped() const { return rate.rate() == 0; }
  // The far side is told what became of its frames.
  [[nodiscard]] bool reports() const { return carrier != nullptr && !is_capped(); }
  // There is something to send, or somebody to send frames for.
  [[nodiscard]] bool has_work() const {
    return carrier != nullptr || hand.block || !control.is_empty() || sealed != nullptr;
  }
  // The session's word about the link's frames holds from now on.
  void configure(const Session& session, Time now);
  // The clock goes at what the rate is by now. True: it did not before.
  bool follow_rate(Time now);
  void set_queue_limits();
  // The link is another far side's: what is known of a path and of frames is of no use any more.
  void begin_anew(const Session& session);
  // A control block that goes another way than the SA's frames: kept, and true, while a block in
  // hand is in several frames of that SA, which must not be torn. One at most.
  [[nodiscard]] bool keeps_apart(OutboundSa& sa, Bytes block, const OuterHeader& way);
  // The block that is kept apart has gone, or never will: overwritten.
  void drop_apart();
  // For the main core to read.
  void publish(Time now);

  // --- the worker's, at every tick ---------------------------------------------------
  Pacer pacer;
  RateControl rate;
  Reporter reporter;
  rte_mbuf* sealed = nullptr;       // the whole packet that the next tick sends; no SA's any more
  Session* carrier = nullptr;       // the link's current session, if its frames are timed
  std::size_t due_place = not_due;  // among the lanes of the worker; not there: at rest
  Hand hand;
  ControlQueue control;
  ipc::Shaping shaping;
  std::uint64_t dummies = 0;
  Time waits_since{};  // mode burst: what waits has waited since then
  PacketQueues queues;

  // --- the worker's, seldom ------------------------------------------------------------
  std::size_t payload = 0;      // bytes of blocks in a frame of the carrier
  ipc::SiteName peer_name{};    // whose link it is
  bool is_paced = false;        // the last current session's frames were timed
  std::size_t next_report = 0;  // of Session::in to report on; 0: a round begins when due
  std::optional<Apart> apart;
  std::uint32_t link = 0;
  // Of a million frames, when the circuit breaker opened; 0: it closed since. Read by the main
  // core.
  std::atomic<std::uint32_t> stopped_ppm{0};
  Published<ipc::LinkStats> published;  // every 100 ms; the main core reads it
};

}  // namespace penstock::dataplane
