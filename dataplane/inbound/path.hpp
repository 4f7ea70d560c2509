// The way in: wire to plain port. One worker's state of it, and its steps in the order a
// frame meets them; each step is one file and works on a burst.
//
//   receive -> steer -> open -> admit -> reassemble -> emit
//
// Authenticate, then believe: length, SPI and replay window in steer, the MAC in open, the
// window's decision in admit, contents only then.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "penstock/base/clock.hpp"
#include "penstock/crypto/frame_engine.hpp"
#include "penstock/wire/outer.hpp"

#include "dataplane/buffer_stash.hpp"
#include "dataplane/device/burst.hpp"
#include "dataplane/device/port.hpp"
#include "dataplane/inbound/classify.hpp"
#include "dataplane/session/expected_peers.hpp"
#include "dataplane/session/life.hpp"
#include "dataplane/session/outbox.hpp"
#include "dataplane/session/session_table.hpp"
#include "dataplane/worker_counters.hpp"

namespace penstock::dataplane::inbound {

inline constexpr std::size_t burst = FrameEngine::max_batch;

// A datagram that claims to be a frame; the bytes are the wire port's until release().
struct Claim {
  Bytes bytes{};
  PacketView* view = nullptr;
};

// A frame in a buffer of ours.
struct Frame {
  InboundSa* sa = nullptr;
  SequenceNumber sequence;
  std::byte* bytes = nullptr;
  rte_mbuf* buffer = nullptr;
  Bytes plaintext{};   // from open on
  bool is_ce = false;  // its outer header says so (RFC 3168)
};

// Where a frame of a followed SA came from stands right before its bytes, over the headers that
// said so: it is asked for after the frame was held back, too.
inline void note_source(std::byte* frame, const Endpoint& from) {
  std::memcpy(frame - sizeof from, &from, sizeof from);
}
[[nodiscard]] inline Endpoint source_of(const std::byte* frame) {
  Endpoint from;
  std::memcpy(&from, frame - sizeof from, sizeof from);
  return from;
}
static_assert(std::is_trivially_copyable_v<Endpoint>);
static_assert(sizeof(Endpoint) <= ethernet_header + ipv4_header + udp_header);

// Packets on their way into the plain port: slots reserved a burst at a time.
struct Delivery {
  std::span<TxSlot> slots{};
  std::size_t used = 0;
  std::array<std::uint32_t, burst> lengths{};
};

struct Path {
  // What it works with, all of the same worker.
  PortQueue& wire;
  PortQueue& plain;
  FrameEngine& engine;
  SessionTable& sessions;
  SessionLife& life;
  WorkerCounters& count;
  Outbox& outbox;
  BufferStash buffers;       // for frames that come without an mbuf
  BufferStash punt_buffers;  // from the main core's pool
  WireIdentity self;
  const ExpectedPeers* expected = nullptr;  // the site's; without it every sender is expected
  std::uint32_t longest_packet = 1514;      // that the plain port sends whole
  bool plain_takes_offload = false;

  // What one step leaves for the next, within a turn.
  std::array<PacketView, burst> views{};
  std::size_t most = burst;  // packets that a turn takes from the port
  std::size_t received = 0;
  std::array<Claim, burst> claims{};
  std::size_t claim_count = 0;
  std::array<Frame, burst> frames{};
  std::size_t frame_count = 0;
  Delivery delivery{};
  Burst<burst> spent;                     // buffers of frames that were read
  const std::byte* read_frame = nullptr;  // whose plaintext reassemble is reading
  DueHeap<InboundSa> gaps;                // the SAs that have one, by when it is given up
};

// One turn: everything that waits at the wire port, at most a burst, was opened, punted or
// dropped by name afterwards. Returns how many packets came.
std::size_t run(Path& path, Time now);

void receive(Path& path, Time now);
void steer(Path& path);
void open(Path& path);
void admit(Path& path, Time now);
// A frame of a followed SA, the newest yet, was admitted: tells the main core when it came from
// elsewhere than the session's frames go.
void follow(Path& path, const Frame& frame, Time now);
void reassemble(Path& path, Time now);
// One block out of a frame: a packet towards the plain port, a control block to the main core.
void emit(Path& path, const InboundSa& sa, BlockKind kind, Bytes block, Time now);
// A report out of a frame: taken where it is of this worker's lane, else passed on to its worker.
void hear_report(Path& path, const InboundSa& sa, Bytes block, Time now);
// A report on the lane that this worker sends on.
void take_report(Path& path, Session& session, const FrameReport& report, Time now);
// Hands the plain port what emit wrote.
void commit(Path& path);

// --- apart from a turn's frames ----------------------------------------------------
// Gives up gaps that are due; call when path.gaps.first() has passed.
void expire_gaps(Path& path, Time now);
// The session ends: what is whole is delivered, every held frame freed.
void flush(Path& path, Session& session, Time now);
// The session ends at once: nothing more is delivered, every held frame wiped and freed.
void wipe_held(Path& path, Session& session);

}  // namespace penstock::dataplane::inbound
