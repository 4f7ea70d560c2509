// Security associations: what a worker touches for every frame. One direction, one key pair,
// one sequence space, one owner: the worker. What is rarely needed stands in Session.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/base/clock.hpp"
#include "penstock/base/prefetch.hpp"
#include "penstock/crypto/sa_keys.hpp"
#include "penstock/link/fill_forecast.hpp"
#include "penstock/link/frame_tally.hpp"
#include "penstock/link/packer.hpp"
#include "penstock/link/reassembler.hpp"
#include "penstock/link/replay_window.hpp"
#include "penstock/wire/frame.hpp"
#include "penstock/wire/outer.hpp"

#include "dataplane/session/due_heap.hpp"

struct rte_mbuf;

namespace penstock::dataplane {

struct Session;

// The DSCP of an open frame: of the first packet that begins in it; until one does, of the packet
// that continues in it; else 0.
class FrameDscp {
 public:
  void note(std::uint8_t dscp, bool begins) {
    if (is_settled_) return;
    value_ = dscp;
    is_settled_ = begins;
  }
  [[nodiscard]] std::uint8_t value() const { return value_; }

 private:
  std::uint8_t value_ = 0;
  bool is_settled_ = false;
};

struct alignas(64) OutboundSa {
  explicit OutboundSa(SealKeys seal_keys) : keys(std::move(seal_keys)) {}

  [[nodiscard]] FrameShape shape() const { return keys.shape(); }
  // Whether `frames` more may be begun without ever passing the hard limit.
  [[nodiscard]] bool may_begin(std::size_t frames) const {
    return frames_begun + frames <= keys.limits().hard_frames;
  }

  SealKeys keys;
  Session* session = nullptr;
  bool has_next_hop = false;       // the destination MAC in `outer` is known
  std::uint64_t frames_begun = 0;  // numbered, or about to be: never less than keys.next()
  FramePacker packer;              // the plaintext of the open frame
  rte_mbuf* open = nullptr;        // the open frame, owned; null when none is
  std::uint32_t open_place = 0;    // of it among the worker's open frames
  Time opened_at{};
  FillForecast forecast;
  OuterHeader outer;         // what stands before every frame
  bool copies_dscp = false;  // but its DSCP, which is that of the first packet begun in the frame
  FrameDscp dscp;            // of the open frame, where copied
};
static_assert(sizeof(OutboundSa) <= 4 * 64, "an outbound SA is touched for every frame");

struct alignas(64) InboundSa {
  InboundSa(ExpandedKeys expanded, Spi local_spi, HeldBudget& budget)
      : keys(std::move(expanded)),
        spi(local_spi),
        max_failed_opens(limits::sa_limits(keys.protection(), keys.shape().size).max_failed_opens),
        reassembler(budget, static_cast<std::uint64_t>(Time{limits::reorder_wait}.count())) {}

  [[nodiscard]] FrameShape shape() const { return keys.shape(); }
  // A frame with this number is about to come.
  void fetch(SequenceNumber sequence) const {
    prefetch(this, offsetof(InboundSa, window) + sizeof(std::uint64_t));
    window.fetch(sequence);
  }

  ExpandedKeys keys;
  Session* session = nullptr;
  Spi spi;
  bool is_followed = false;  // the far side is where its newest frame says, once it has proved it
  bool is_reported = false;  // the far side sends by the clock, and is told what came of it
  std::uint64_t failed_opens = 0;
  std::uint64_t max_failed_opens;   // then it receives no more
  Reassembler reassembler;          // its ticks are nanoseconds
  std::size_t due_place = not_due;  // among the SAs of the worker that have a gap
  FrameTally tally;                 // while it is reported
  ReplayWindow window;
};
static_assert(offsetof(InboundSa, reassembler) <= 64, "looks before crypto touch one line");
static_assert(sizeof(InboundSa) <= sizeof(ReplayWindow) + 6 * 64);

}  // namespace penstock::dataplane
