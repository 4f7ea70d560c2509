// The way out: plain port to wire. One worker's state of it, and its steps in the order a
// packet meets them; each step is one file and works on a burst.
//
//   receive -> steer -> pack -> seal -> emit
//
// Packets of links whose frames are timed go another way from steer on, and wait in between:
//
//   receive -> steer -> queue ... pace: emit what the last tick left, pack, seal
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "penstock/base/clock.hpp"
#include "penstock/crypto/frame_engine.hpp"
#include "penstock/link/packer.hpp"

#include "dataplane/buffer_stash.hpp"
#include "dataplane/device/burst.hpp"
#include "dataplane/device/port.hpp"
#include "dataplane/session/due_heap.hpp"
#include "dataplane/session/link_lane.hpp"
#include "dataplane/session/outbox.hpp"
#include "dataplane/session/session_table.hpp"
#include "dataplane/worker_counters.hpp"

namespace penstock::dataplane::outbound {

inline constexpr std::size_t burst = 64;

// A packet that may cross, and the SA that carries it.
struct Packet {
  const PacketView* view = nullptr;
  OutboundSa* sa = nullptr;
};

// What stands before a packet's own bytes in its block: a virtio-net header if it is
// unfinished; its MAC addresses and the VLAN tag if the port took that out.
struct BlockLead {
  static constexpr std::size_t macs = 12;
  static constexpr std::size_t tag = 4;
  std::array<std::byte, limits::virtio_net_header + macs + tag> bytes{};
};

// The packet that pack is at: it may need several batches of frames.
struct BlockInHand {
  std::optional<BlockSource> block;
  OutboundSa* sa = nullptr;
  std::uint8_t dscp = 0;  // of the packet, where the SA copies it
  BlockLead lead;
};

// Filled frames on their way through seal and emit, in order.
struct FrameBatch {
  Burst<FrameEngine::max_batch> buffers;
  std::array<OutboundSa*, FrameEngine::max_batch> sas{};
  std::array<std::uint8_t, FrameEngine::max_batch> dscps{};  // where the SA copies it

  [[nodiscard]] bool full() const { return buffers.full(); }
  void push(rte_mbuf* buffer, OutboundSa* sa) {
    if (buffers.empty() || sas[buffers.size() - 1] != sa) {
      sa->keys.fetch();
      sa->session->fetch();
    }
    sas[buffers.size()] = sa;
    dscps[buffers.size()] = sa->dscp.value();
    buffers.push(buffer);
  }
};

// The SAs that have an open frame, in any order.
class OpenFrames {
 public:
  OpenFrames() { sas_.reserve(SessionTable::capacity); }
  void add(OutboundSa& sa) {
    sa.open_place = static_cast<std::uint32_t>(sas_.size());
    sas_.push_back(&sa);
  }
  void remove(const OutboundSa& sa) {
    sas_[sa.open_place] = sas_.back();
    sas_[sa.open_place]->open_place = sa.open_place;
    sas_.pop_back();
  }
  [[nodiscard]] std::span<OutboundSa* const> all() const { return sas_; }

 private:
  std::vector<OutboundSa*> sas_;
};

// The links whose frames are timed.
struct Paced {
  DueHeap<LinkLane> lanes{limits::max_links};  // by their next tick; those at rest are not here
  std::size_t carriers = 0;                    // lanes that a current session uses
  std::size_t packets = 0;                     // that wait in their queues
  std::size_t frames = 0;                      // that are sealed and wait for their tick
  std::size_t passed = 0;                      // ticks that did since the wire was last read
};

struct Path {
  // What it works with, all of the same worker.
  PortQueue& plain;
  PortQueue& wire;
  FrameEngine& engine;
  SessionTable& sessions;
  WorkerCounters& count;
  Outbox& outbox;
  BufferStash buffers;
  Time (*clock)() = nullptr;  // null: time stands still within a turn

  // What one step leaves for the next, within a turn.
  std::array<PacketView, burst> views{};
  std::size_t received = 0;
  std::array<Packet, burst> packets{};
  std::size_t packet_count = 0;
  std::size_t next_packet = 0;
  BlockInHand in_hand{};
  FrameBatch frames{};
  OpenFrames open{};
  Paced paced{};

  [[nodiscard]] Time time(Time now) const { return clock != nullptr ? clock() : now; }
};

// One turn: everything that waits at the plain port, at most a burst, is on the wire, dropped
// by name, or in an open frame afterwards. Returns how many packets came.
std::size_t run(Path& path, Time now);

void receive(Path& path);
void steer(Path& path);
// Begins to fetch the packets' SAs, before the first is looked at.
void fetch(const Path& path);
// Takes the packets of links whose frames are timed out of the burst, into their queues.
void queue(Path& path, Time now);
// True: call again after seal and emit, there is more.
[[nodiscard]] bool pack(Path& path, Time now);
void seal(Path& path, Time now);
void emit(Path& path);

// --- links whose frames are timed --------------------------------------------------------
// Sends what is due. Cheap when nothing is. Wherever no frame is in the batch.
void pace(Path& path, Time now);
// The session was installed: what it says holds where no other is current.
void join_lane(const Session& session, Time now);
// The session is its link's current one from now on.
void begin_lane(Path& path, Session& session, Time now);
// The session is not its link's current one any more, and no timed one takes its place: what
// waits is dropped.
void end_lane(Path& path, const Session& session, Time now);
// For a lane that a current session uses, several times a second: its rate, by what reports said.
void keep_lane(Path& path, LinkLane& lane, Time now);
// The session is about to go; nothing of it is left in its lane afterwards. `wipes`: nothing of
// any other is, either, and what was there is overwritten.
void leave_lane(Path& path, const Session& session, bool wipes, Time now);
// Overwrites what is sealed in any lane, also where its session has gone. Every session that is
// left goes next, by leave_lane.
void wipe_lanes(Path& path);
// The worker ends: frames that are sealed leave, packets that wait do not.
void stop_lanes(Path& path);

// --- frames that no packet asks for -------------------------------------------------
// Closes open frames that have waited long enough: the session's hold; without one, until the port
// ran empty, and at most 200 us while it does not. In a stream a frame that will soon be full waits
// for that, 200 us at most.
void flush(Path& path, Time now);
// When flush() has something to do next; Time::max() if no frame is open.
[[nodiscard]] Time flush_deadline(const Path& path);
// Closes the SA's open frame, if there is one, and sends it.
void finish_open(Path& path, OutboundSa& sa, Time now);
// Lets go of the SA's open frame, if there is one, and wipes what is in it.
void wipe_open(Path& path, OutboundSa& sa);
// Sends a frame without packets, or the open one.
void send_dummy(Path& path, OutboundSa& sa, Time now);
// Sends a control block at once, behind what is in the open frame; where frames are timed, in one
// of the next. Drops it where the SA, the pool or the lane has no room: whoever sends such blocks
// sends them again.
void send_control(Path& path, OutboundSa& sa, Bytes block, Time now);
// The same in a frame of its own, which goes another way than the SA's frames: nothing else is
// in it. The block is short enough for one frame.
void send_apart(Path& path, OutboundSa& sa, Bytes block, const OuterHeader& way, Time now);

// --- shared by the steps ----------------------------------------------------------------
// A packet as the pieces of its block; `lead` holds the first of them.
struct BlockPieces {
  BlockKind kind{};
  std::array<Bytes, 2> pieces{};
};
[[nodiscard]] BlockPieces pieces_of(const PacketView& view, BlockLead& lead);
// All of a packet's block is in frames.
inline void count_packed(Path& path, BlockKind kind, std::size_t length) {
  const bool has_header = kind == BlockKind::offload_ethernet;
  path.count.add(Counter::packed);
  path.count.add(Counter::packed_bytes, length - (has_header ? limits::virtio_net_header : 0));
}
// The same as send_control and send_dummy, by the lane of the SA's session.
void queue_control(Path& path, OutboundSa& sa, Bytes block, Time now);
void queue_dummy(Path& path, OutboundSa& sa, Time now);
// The lane may have something to do that it had not before.
void wake_lane(Path& path, LinkLane& lane, Time now);

}  // namespace penstock::dataplane::outbound
