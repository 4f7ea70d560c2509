// The packets of a link with a rate that wait for their frames, by class. What leaves next:
//
//   voice first, but while others wait it never gets further ahead of them than the share that
//   every class keeps: they have half of the bytes at least;
//   then video, normal and bulk by deficit round robin (Shreedhar and Varghese, 1995) in the
//   proportions 6 : 3 : 1. What one leaves unused the others have.
//
// How much waits is bounded in bytes, for all classes together. Each keeps a sixteenth of that to
// itself, so that no class shuts another out; an empty class always takes one packet, however
// long. CoDel (RFC 8289) looks at each class by itself: it marks a packet CE where its ends
// understand that (RFC 3168), else drops it. And nothing waits much longer than `longest`: what
// is older when its turn comes is dropped, unless it is its class's only one.
//
// Allocates nothing after its construction. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "penstock/base/shape.hpp"
#include "penstock/link/block_fifo.hpp"
#include "penstock/link/codel.hpp"
#include "penstock/link/delay_histogram.hpp"
#include "penstock/link/queue_memory.hpp"

namespace penstock {

// The block that is packed next, whole and in one piece.
struct QueuedBlock {
  BlockKind kind{};
  PacketClass of{};
  MutableBytes bytes;  // the queue's, until pop()
  Time queued_at{};
  std::uint8_t dscp = 0;
};

class PacketQueues {
 public:
  struct Setup {
    std::size_t bytes = 0;  // that may wait, as they will stand in frames: with block headers
    Time target = CodelSettings{}.target;
    Time interval = CodelSettings{}.interval;
    Time longest = Time::max();
  };

  // Of one class, since the start.
  struct ClassFigures {
    std::uint64_t packets = 0;         // that went on
    std::uint64_t dropped = 0;         // no room, older than `longest`, or discarded
    std::uint64_t dropped_aqm = 0;     // by CoDel
    std::uint64_t marked = 0;          // by CoDel: CE
    std::uint64_t queued_packets = 0;  // now
    std::uint64_t queued_bytes = 0;    // now
  };

  // What next() did to packets that had been accepted, since it was last asked.
  struct Events {
    std::uint32_t too_old = 0;      // dropped: DropReason::queue_full
    std::uint32_t dropped_aqm = 0;  // dropped: DropReason::queue_aqm
    std::uint32_t marked = 0;       // not dropped: Counter::ce_marked
  };

  // `setup.bytes` is the most that set_limits() can ever ask for. Takes addresses for some four
  // times as many, and memory only for what packets reach.
  explicit PacketQueues(const Setup& setup);

  // From now on. What waits beyond a smaller bound stays until its turn.
  void set_limits(const Setup& setup);

  // Copies a block of at most four pieces behind the others of its class. False: it is dropped,
  // and counted here: DropReason::queue_full.
  [[nodiscard]] bool push(PacketClass of, BlockKind kind, std::span<const Bytes> pieces, Time now,
                          std::uint8_t dscp = 0);
  // What to pack next; null when nothing waits. The same until pop(), whatever comes meanwhile.
  [[nodiscard]] const QueuedBlock* next(Time now);
  // All of it is in frames. next() was not null.
  void pop(Time now);
  // It will be in none, whyever; counted here. The same.
  void discard();
  [[nodiscard]] Events take_events() { return std::exchange(events_, {}); }

  [[nodiscard]] bool is_empty() const { return packets() == 0; }
  [[nodiscard]] std::size_t packets() const;
  [[nodiscard]] std::size_t bytes() const;  // with block headers

  // Forgets all that waits and overwrites every byte that any packet ever stood in. The figures
  // stay; of what waited only its number is known, to who asks packets() before.
  void wipe();

  // The figures begin anew; what is queued stays.
  void forget_figures();
  [[nodiscard]] ClassFigures figures(PacketClass of) const;
  // How long the packets of a class that went on lately had waited.
  [[nodiscard]] DelayHistogram::Percentiles delays(PacketClass of, Time now) {
    return queue(of).delays.percentiles(now);
  }

 private:
  struct Queue {
    explicit Queue(MutableBytes memory) : fifo(memory) {}

    BlockFifo fifo;
    Codel codel;
    std::int64_t deficit = 0;  // bytes that it may still send in this round
    ClassFigures counted;      // without what is queued
    DelayHistogram delays;
  };

  [[nodiscard]] Queue& queue(PacketClass of) { return queues_[static_cast<std::size_t>(of)]; }
  [[nodiscard]] const Queue& queue(PacketClass of) const {
    return queues_[static_cast<std::size_t>(of)];
  }
  [[nodiscard]] std::size_t share() const;
  [[nodiscard]] bool has_room(const Queue& queue, std::size_t cost) const;
  [[nodiscard]] bool is_alone(const Queue& queue) const;
  // The class whose turn it is; at least one is not empty.
  [[nodiscard]] PacketClass choose();
  [[nodiscard]] PacketClass choose_by_deficit();
  // Whether the head of a class may go; else it is gone.
  [[nodiscard]] bool admit_head(Queue& queue, Time now);
  void charge(PacketClass of, std::size_t cost);

  Setup setup_;
  std::size_t most_bytes_;
  QueueMemory memory_;
  std::array<Queue, packet_classes> queues_;
  std::optional<QueuedBlock> next_;
  Events events_;
  PacketClass turn_ = PacketClass::video;  // never voice
  std::size_t voice_ahead_ = 0;  // bytes of voice that left before others' which were waiting
};

}  // namespace penstock
