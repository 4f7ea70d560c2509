// A worker: a polling thread that owns its port queues, its SAs, its open frames, its
// reassembly and its counters. It shares nothing on the packet path; the main core reaches it
// through a mailbox. One turn:
//
//   outbound   receive -> steer -> pack -> seal -> emit
//   inbound    receive -> steer -> open -> admit -> reassemble -> emit
//   then life, mailbox, timers, housekeeping
//
// and between these, where frames of a link are timed and one is due: pace.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "penstock/crypto/frame_engine.hpp"

#include "dataplane/idle.hpp"
#include "dataplane/inbound/path.hpp"
#include "dataplane/outbound/path.hpp"
#include "dataplane/seat.hpp"
#include "dataplane/session/life.hpp"
#include "dataplane/session/mailbox.hpp"
#include "dataplane/session/outbox.hpp"
#include "dataplane/session/session_table.hpp"
#include "dataplane/wire_identity.hpp"
#include "dataplane/worker_counters.hpp"

struct rte_mempool;

namespace penstock::dataplane {

struct WorkerSetup {
  PortQueue& plain;
  PortQueue& wire;
  const PortInfo& plain_info;
  Mailbox& mailbox;
  Seat seat;
  rte_mempool* frames = nullptr;  // buffers for frames, both ways
  rte_mempool* punts = nullptr;   // buffers for what goes to the main core
  std::uint32_t held_limit = 0;   // frames that reassembly may hold back
  WireIdentity self;
  const ExpectedPeers* expected = nullptr;
  std::span<const std::uint16_t> vlans;  // of links, of which no packet is another link's
  IdleMode idle = IdleMode::backoff;
  Doorbell* bell = nullptr;   // rung by other workers, where they hand packets over
  Time (*clock)() = nullptr;  // for turns without run(); null: time stands still within one
};

class Worker {
 public:
  Worker(const WorkerSetup& setup, FrameEngine engine);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // The worker's thread: turns until `stop`, then lets go of every buffer. Sessions stay the
  // main core's to free.
  void run(const std::atomic<bool>& stop);
  // One turn; true when there was something to do.
  bool turn(Time now);
  // When a turn has something to do although nothing arrives.
  [[nodiscard]] Time deadline() const;

  // --- any thread --------------------------------------------------------------------
  [[nodiscard]] Counters counters() const { return count_.snapshot(); }
  // What the InboundSas made for this worker count their held frames in.
  [[nodiscard]] HeldBudget& held() { return held_; }

 private:
  [[nodiscard]] bool is_paced() const { return out_.paced.lanes.size() != 0; }
  void pace(Time now);
  [[nodiscard]] bool hear(Time now);
  [[nodiscard]] Idle::Tick next_tick() const;
  void publish();
  void live(Time now);  // what the life of sessions asks for
  void carry_out(const LifeAction& action, Time now);
  void take_out(Session& session, ipc::RemovalReason reason, Time now);
  void wipe_handed_over();
  void zeroize();
  [[nodiscard]] bool read_mailbox(Time now);
  void obey(const Command& command, Time now);
  [[nodiscard]] bool has(const Command& command) const;
  void inject(rte_mbuf* packet);
  void send_control(const Command& command, Time now);
  void send_challenge(const Command& command, Time now);
  void move(const Command& command);
  void set_next_hop(const Command& command);
  [[nodiscard]] bool run_timers(Time now);
  void keep_house(Time now);
  void keep_lanes(Time now);
  void let_go();

  Mailbox& mailbox_;
  WorkerCounters count_;
  Outbox outbox_;
  FrameEngine engine_;
  HeldBudget held_;
  SessionTable sessions_;
  SessionLife life_;
  outbound::Path out_;
  inbound::Path in_;
  Idle idle_;
  Time house_kept_{};
  std::size_t lanes_kept_ = SIZE_MAX;  // sessions whose lanes were looked at since then
  bool is_port_gone_ = false;
  bool is_busy_ = false;  // something came, or had to be done, that is no part of a rhythm
};

}  // namespace penstock::dataplane
