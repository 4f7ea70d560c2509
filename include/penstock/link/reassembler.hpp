// Reassembly: plaintexts of one SA, in any order, into the blocks that the far side
// packed, in sequence order. A gap is given up when a frame arrives whose number is
// `limits::reorder_window` or more above it, when it is older than the wait, or when the
// budget of held frames is spent; a lost frame then costs only the blocks that touched it, and of
// a large TCP packet only the segments.
//
// Knows bytes, not mbufs: a frame is a span that stays valid until it is released.
// After construction nothing allocates; every call is done in O(window).
#pragma once

#include <algorithm>
#include <cstdint>

#include "penstock/base/bytes.hpp"
#include "penstock/link/block_reader.hpp"
#include "penstock/link/held_frames.hpp"
#include "penstock/link/reassembly_sink.hpp"
#include "penstock/wire/frame.hpp"

namespace penstock {

class Reassembler {
 public:
  // `wait` in the caller's ticks; `budget` outlives the reassembler.
  Reassembler(HeldBudget& budget, std::uint64_t wait) : held_(budget), wait_(wait) {}
  // Flush before: frames still held here are forgotten, not released.
  ~Reassembler() = default;
  Reassembler(Reassembler&&) noexcept = default;
  Reassembler& operator=(Reassembler&&) noexcept = default;

  // An admitted frame: `plaintext` is prologue and payload. Every frame given here is
  // released exactly once, now or later.
  template <ReassemblySink Sink>
  void accept(SequenceNumber sequence, Bytes plaintext, void* frame, std::uint64_t now, Sink& sink);

  // Gives up every gap that is due; call when `deadline()` has passed.
  template <ReassemblySink Sink>
  void expire(std::uint64_t now, Sink& sink);

  // Gives up everything: what is whole is delivered, every held frame released.
  template <ReassemblySink Sink>
  void flush(Sink& sink);

  // What a sink has lent may be let go.
  void settle() { reader_.settle(); }

  // Overwrites what is left here of packets. After flush().
  void wipe() { reader_.wipe(); }

  [[nodiscard]] bool has_gap() const { return !held_.is_empty(); }
  // When the oldest gap is given up; meaningful while has_gap(). Looks at every held frame: traffic
  // does not ask.
  [[nodiscard]] std::uint64_t deadline() const { return held_.earliest_arrival() + wait_; }

 private:
  template <ReassemblySink Sink>
  void accept_out_of_order(std::uint64_t number, const HeldFrame& given, Sink& sink);
  template <ReassemblySink Sink>
  void deliver(Bytes plaintext, void* frame, Sink& sink);
  template <ReassemblySink Sink>
  void deliver_held(Sink& sink);
  template <ReassemblySink Sink>
  void give_up_before(std::uint64_t number, Sink& sink);

  // Between calls: no frame numbered next_ is held, and every held frame is above it.
  std::uint64_t next_ = 0;
  BlockReader reader_;
  HeldFrames held_;
  std::uint64_t wait_;
};

template <ReassemblySink Sink>
void Reassembler::accept(SequenceNumber sequence, Bytes plaintext, void* frame, std::uint64_t now,
                         Sink& sink) {
  if (sequence.value != next_ || sequence == last_sequence) [[unlikely]] {
    const HeldFrame given{.plaintext = plaintext, .frame = frame, .arrived = now};
    accept_out_of_order(sequence.value, given, sink);
    return;
  }
  deliver(plaintext, frame, sink);
  if (has_gap()) [[unlikely]]
    deliver_held(sink);
}

template <ReassemblySink Sink>
void Reassembler::accept_out_of_order(std::uint64_t number, const HeldFrame& given, Sink& sink) {
  const bool is_late = number < next_ || number == last_sequence.value;
  if (!is_late && number - next_ >= HeldFrames::window) {
    give_up_before(number - HeldFrames::window + 1, sink);
  }
  if (is_late || held_.has(number)) {
    sink.fault(ReassemblyFault::late_frame);
    sink.release(given.frame);
    return;
  }
  while (number != next_ && held_.is_budget_spent()) {
    give_up_before(std::min(number, held_.first(next_)), sink);
  }
  if (number == next_) {
    deliver(given.plaintext, given.frame, sink);
    deliver_held(sink);
  } else {
    held_.put(number, given);
  }
}

template <ReassemblySink Sink>
void Reassembler::expire(std::uint64_t now, Sink& sink) {
  if (!has_gap() || now < deadline()) return;
  // A frame that came long enough ago has made every gap below it due.
  give_up_before(held_.last_arrived_by(now - wait_, next_), sink);
}

template <ReassemblySink Sink>
void Reassembler::flush(Sink& sink) {
  while (has_gap()) give_up_before(held_.first(next_), sink);
  reader_.lose(sink);
}

template <ReassemblySink Sink>
void Reassembler::deliver(Bytes plaintext, void* frame, Sink& sink) {
  if constexpr (requires { sink.enter(plaintext); }) sink.enter(plaintext);
  reader_.read(plaintext, sink);
  sink.release(frame);
  ++next_;
}

template <ReassemblySink Sink>
void Reassembler::deliver_held(Sink& sink) {
  while (held_.has(next_)) {
    held_.fetch(next_ + 1);
    const HeldFrame held = held_.take(next_);
    deliver(held.plaintext, held.frame, sink);
  }
}

// Delivers what is held below `number` and goes on there, whatever is missing.
template <ReassemblySink Sink>
void Reassembler::give_up_before(std::uint64_t number, Sink& sink) {
  while (next_ < number) {
    const std::uint64_t missing_from = next_;
    next_ = std::min(number, held_.first(next_));
    reader_.lose(next_ - missing_from, sink);
    deliver_held(sink);
  }
}

}  // namespace penstock
