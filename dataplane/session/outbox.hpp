// A worker's way to the main core: notes about sessions, and packets it cannot deal with.
#pragma once

#include <array>
#include <utility>

#include <rte_mbuf.h>

#include "penstock/base/check.hpp"
#include "penstock/base/clock.hpp"

#include "dataplane/session/mailbox.hpp"
#include "dataplane/session/punt_rate.hpp"
#include "dataplane/worker_counters.hpp"

namespace penstock::dataplane {

class Outbox {
 public:
  Outbox(Mailbox& mailbox, WorkerCounters& count) : mailbox_(mailbox), count_(count) {}

  void note(Note note) {
    check(mailbox_.notes.push(note), "the ring of notes has room for all of every session");
    is_pending_ = true;
  }
  // A soft limit of the session was reached; says so once.
  void ask_rekey(Session& session) {
    if (!std::exchange(session.rekey_told, true))
      note({.kind = Note::Kind::rekey_wanted, .session = &session});
  }
  // The session's is_silent is not what it was.
  void tell_silence(Session& session) {
    if (!session.progress.has_silence_note.exchange(true, std::memory_order_acq_rel))
      note({.kind = Note::Kind::silence, .session = &session});
  }
  // The lane of the link of the session, its current one, was stopped or resumed.
  void tell_breaker(Session& session) {
    if (!session.progress.has_breaker_note.exchange(true, std::memory_order_acq_rel))
      note({.kind = Note::Kind::breaker, .session = &session});
  }
  // Whether a packet of this kind may go up now.
  [[nodiscard]] bool may_punt(PuntKind kind, Time now) {
    return rates_[static_cast<std::size_t>(kind)].allow(now);
  }
  // Takes the packet; frees and counts it when the main core is behind.
  void punt(PuntKind kind, rte_mbuf* packet) {
    const PuntedPacket punted{.kind = kind, .packet = packet};
    if (push_to_ring(kind, punted))
      count_.add(Counter::punted);
    else
      count_.drop(full(kind));
  }
  // The name of a loss when the main core is behind, or the rate says no.
  [[nodiscard]] static DropReason full(PuntKind kind) {
    switch (kind) {
      case PuntKind::handshake:
        return DropReason::handshake_full;
      case PuntKind::stranger:
        return DropReason::stranger_full;
      case PuntKind::probe:
      case PuntKind::stray_probe:
        return DropReason::probe_full;
      case PuntKind::neighbour:
      case PuntKind::echo:
        break;
    }
    return DropReason::punt_full;
  }
  // The same two for a handshake message that came inside the session, through the SA with this
  // SPI.
  [[nodiscard]] bool may_pass_up(Session& session, Time now) {
    return session.heard_rate.allow(now) && heard_rate_.allow(now);
  }
  void pass_up(Spi spi, rte_mbuf* message) {
    if (!push(mailbox_.heard, HeardMessage{.spi = spi, .message = message}, message))
      count_.drop(DropReason::control_full);
  }
  // Whether a probe of the session may go up now. One that comes from where its frames go takes of
  // what the session has; who can forge both that address and the session's SPI is on the path,
  // and harms no other session. Nor does who knows the SPI alone: the session's strays have a
  // small rate of their own, before that of all strays together.
  [[nodiscard]] bool may_probe(Session& session, PuntKind kind, Time now) {
    PuntRate& own = kind == PuntKind::probe ? session.probe_rate : session.stray_rate;
    return own.allow(now) && may_punt(kind, now);
  }
  // Whether another challenge or response of the session may go up now.
  [[nodiscard]] bool may_trace(Session& session, Time now) {
    return session.trace_rate.allow(now) && trace_rate_.allow(now);
  }
  // False: the main core is behind.
  bool trace(const Trace& trace) {
    const bool has_room = mailbox_.traces.push(trace);
    is_pending_ |= has_room;
    return has_room;
  }
  // A report of the session on a lane that another worker sends on. False: it comes too often, or
  // the main core is behind.
  bool pass_on(const InboundSa& sa, const FrameReport& report, Time now) {
    const bool is_passed = sa.session->report_rate.allow(now) && report_rate_.allow(now) &&
                           mailbox_.reports.push({.spi = sa.spi, .report = report});
    is_pending_ |= is_passed;
    return is_passed;
  }
  // At the end of a turn: wakes the main core when there is something for it.
  void ring() {
    if (is_pending_) mailbox_.main_wake->signal();
    is_pending_ = false;
  }

 private:
  [[nodiscard]] bool push_to_ring(PuntKind kind, const PuntedPacket& punted) {
    switch (kind) {
      case PuntKind::stranger:
        return push(mailbox_.strangers, punted, punted.packet);
      case PuntKind::probe:
      case PuntKind::stray_probe:
        return push(mailbox_.probes, punted, punted.packet);
      case PuntKind::handshake:
      case PuntKind::neighbour:
      case PuntKind::echo:
        break;
    }
    return push(mailbox_.punts, punted, punted.packet);
  }
  [[nodiscard]] bool push(auto& ring, const auto& value, rte_mbuf* buffer) {
    const bool has_room = ring.push(value);
    if (!has_room) rte_pktmbuf_free(buffer);
    is_pending_ |= has_room;
    return has_room;
  }

  Mailbox& mailbox_;
  WorkerCounters& count_;
  bool is_pending_ = false;
  // Each kind has a rate of its own: a flood of ping or ARP must not starve handshakes, and a
  // flood of handshakes none that come inside a session. Who forges the far side's address
  // competes with it, so that rate is what the control plane can look at; a stranger's messages
  // are few when they are meant.
  std::array<PuntRate, punt_kinds> rates_{PuntRate{128, 10'000}, PuntRate{32, 500},
                                          PuntRate{64, 1000},    PuntRate{64, 1000},
                                          PuntRate{64, 4000},    PuntRate{16, 50}};
  // Of all sessions together; each has its own before it.
  PuntRate heard_rate_{64, 1000};
  PuntRate trace_rate_{32, 200};
  PuntRate report_rate_{128, 10'000};
};

}  // namespace penstock::dataplane
