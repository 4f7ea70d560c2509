// Random packets through packer, a wire that loses, doubles and re-orders, the replay
// window and the reassembler. What comes out must be exactly the packets none of whose
// frames was lost or given up, in order, byte for byte; and only a frame that came too far
// behind a later one, or too long after it, is given up. A failing seed is printed; run it
// alone with PENSTOCK_SEED=n, or many of them with PENSTOCK_SEEDS=count.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <random>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "penstock/link/packer.hpp"
#include "penstock/link/reassembler.hpp"
#include "penstock/link/replay_window.hpp"
#include "recording_sink.hpp"

namespace penstock {
namespace {

using namespace test;

constexpr std::uint64_t wait = 64;

struct SentPacket {
  BlockKind kind;
  Buffer bytes;
  std::uint64_t first_frame = 0;
  std::uint64_t last_frame = 0;
};

struct WireFrame {
  std::uint64_t number;
  std::uint64_t arrival;
};

class World {
 public:
  explicit World(std::uint64_t seed)
      : random_(seed),
        frame_size_(std::max(between(1, 8) * between(1, 300), std::uint64_t{5}) +
                    frame_layout::prologue),
        loss_per_mille_(one_of({0, 0, 5, 50, 400})),
        reach_(one_of({0, 0, 3, 30, 300})),
        packets_(between(1, 60)),
        budget_{.limit = static_cast<std::uint32_t>(one_of({0, 3, 40, 10'000}))} {}

  void run() {
    pack();
    if (between(0, 1) == 0)
      travel(sink_);
    else
      travel_lent();
    compare();
  }

 private:
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + random_() % (high - low + 1);
  }
  std::uint64_t one_of(std::initializer_list<std::uint64_t> choices) {
    return *(choices.begin() + between(0, choices.size() - 1));
  }

  std::size_t packet_length() {
    switch (between(0, 9)) {
      case 0:
        return 0;
      case 1:
        return between(0, 8);
      case 2:
        // Some are longer than a block may be; but not in thousands of tiny frames.
        return between(0, std::min<std::uint64_t>(70'000, 400 * frame_size_));
      default:
        return between(14, 1514);
    }
  }

  void pack() {
    FramePacker packer;
    for (std::uint64_t i = 0; i < packets_; ++i) {
      SentPacket packet{.kind = static_cast<BlockKind>(between(1, 4)), .bytes = {}};
      packet.bytes = pattern(packet_length(), static_cast<unsigned>(i));
      append(packer, packet);
      sent_.push_back(std::move(packet));
      if (packer.is_open() && between(0, 3) == 0) packer.finish();  // the queue ran empty
      if (between(0, 20) == 0) idle_frame(packer);
    }
    if (packer.is_open()) packer.finish();
  }

  void append(FramePacker& packer, SentPacket& packet) {
    const Bytes bytes{packet.bytes};
    const std::size_t cut = between(0, bytes.size());
    const Bytes pieces[] = {bytes.first(cut), bytes.subspan(cut)};
    BlockSource block(packet.kind, pieces);
    const std::size_t room = packer.is_open() ? packer.room() : 0;
    const std::size_t expected =
        frames_needed(bytes.size(), room, frame_size_ - frame_layout::prologue);
    const std::size_t before = frames_.size();
    while (!block.is_done()) {
      if (!packer.is_open()) begin(packer);
      const bool was_started = block.is_started();
      packer.append(block);
      if (!was_started && block.is_started()) packet.first_frame = frames_.size() - 1;
      if (!block.is_done() || packer.is_full()) packer.finish();
    }
    packet.last_frame = frames_.size() - 1;
    EXPECT_EQ(frames_.size() - before, expected);
  }

  void begin(FramePacker& packer) {
    frames_.emplace_back(frame_size_, std::byte{0xee});
    packer.begin(frames_.back());
  }

  void idle_frame(FramePacker& packer) {
    if (packer.is_open()) packer.finish();
    begin(packer);
    packer.finish();
  }

  // Which frames come when, some twice.
  std::vector<WireFrame> schedule() {
    std::vector<WireFrame> wire;
    for (std::uint64_t number = 0; number < frames_.size(); ++number) {
      if (between(0, 999) < loss_per_mille_) continue;
      const std::uint64_t copies = between(0, 30) == 0 ? 2 : 1;
      for (std::uint64_t copy = 0; copy < copies; ++copy) {
        wire.push_back({.number = number, .arrival = 3 * number + between(0, reach_)});
      }
    }
    std::ranges::sort(
        wire, {}, [](const WireFrame& frame) { return std::pair{frame.arrival, frame.number}; });
    return wire;
  }

  void travel_lent() {
    LendingRecorder lender;
    travel(lender);
    EXPECT_FALSE(lender.is_wrong);
    sink_ = std::move(static_cast<RecordingSink&>(lender));
  }
  static void let_go(Reassembler&, RecordingSink&) {}
  static void let_go(Reassembler& reassembler, LendingRecorder& lender) {
    reassembler.settle();
    lender.let_go();
  }

  template <class Sink>
  void travel(Sink& sink) {
    ReplayWindow replay;
    Reassembler reassembler(budget_, wait);
    std::size_t admitted = 0;
    for (const WireFrame& frame : schedule()) {
      if (reassembler.has_gap() && reassembler.deadline() <= frame.arrival) {
        reassembler.expire(frame.arrival, sink);
      }
      if (replay.admit({frame.number}) != ReplayVerdict::fresh) continue;
      ++admitted;
      Buffer& bytes = frames_[frame.number];
      const auto late = sink.count(ReassemblyFault::late_frame);
      reassembler.accept({frame.number}, bytes, &bytes, frame.arrival, sink);
      if (sink.count(ReassemblyFault::late_frame) == late)
        arrived_.insert(frame.number);
      else
        EXPECT_TRUE(may_be_late(frame)) << "frame " << frame.number << " was in time";
      came_.push_back(frame);
      if (between(0, 7) == 0) let_go(reassembler, sink);
      highest_ = std::max(highest_, frame.number);
    }
    let_go(reassembler, sink);
    reassembler.flush(sink);
    EXPECT_EQ(sink.released.size(), admitted);
    EXPECT_EQ(budget_.held, 0u);
  }

  // A later one came a whole window ahead of it, or a whole wait before it; or there was no room.
  bool may_be_late(const WireFrame& frame) {
    for (; waited_ < came_.size() && came_[waited_].arrival + wait <= frame.arrival; ++waited_)
      highest_waited_ = std::max(highest_waited_, came_[waited_].number);
    return budget_.limit < limits::reorder_window || highest_waited_ > frame.number ||
           highest_ >= frame.number + limits::reorder_window;
  }

  [[nodiscard]] bool is_whole(const SentPacket& packet) const {
    for (std::uint64_t frame = packet.first_frame; frame <= packet.last_frame; ++frame) {
      if (!arrived_.contains(frame)) return false;
    }
    return packet.bytes.size() <= limits::max_block;
  }

  void compare() {
    std::size_t at = 0;
    for (const SentPacket& packet : sent_) {
      if (!is_whole(packet)) continue;
      ASSERT_LT(at, sink_.blocks.size()) << "a packet is missing";
      ASSERT_EQ(sink_.blocks[at].kind, packet.kind);
      ASSERT_TRUE(sink_.blocks[at].bytes == packet.bytes) << "packet " << at << " differs";
      ++at;
    }
    ASSERT_EQ(at, sink_.blocks.size()) << "a packet was invented or doubled";
    std::ranges::sort(sink_.released);
    EXPECT_TRUE(std::ranges::adjacent_find(sink_.released) == sink_.released.end());
    EXPECT_EQ(sink_.count(ReassemblyFault::bad_prologue), 0);
    EXPECT_EQ(sink_.count(ReassemblyFault::unknown_kind), 0);
    if (arrived_.size() == frames_.size()) {
      EXPECT_EQ(sink_.count(ReassemblyFault::incomplete), 0);
    }
  }

  std::mt19937_64 random_;
  std::size_t frame_size_;
  std::uint64_t loss_per_mille_;
  std::uint64_t reach_;
  std::uint64_t packets_;
  HeldBudget budget_;
  std::vector<SentPacket> sent_;
  std::deque<Buffer> frames_;
  std::set<std::uint64_t> arrived_;  // in time
  std::vector<WireFrame> came_;      // the first copy of each, in order
  std::uint64_t highest_ = 0;        // of those
  std::size_t waited_ = 0;           // how many of those came a wait ago
  std::uint64_t highest_waited_ = 0;
  RecordingSink sink_;
};

TEST(LinkProperty, WhatComesOutIsWhatWentInLessWhatTouchedALoss) {
  const char* one = std::getenv("PENSTOCK_SEED");
  const char* many = std::getenv("PENSTOCK_SEEDS");
  const std::uint64_t begin = one != nullptr ? std::strtoull(one, nullptr, 10) : 0;
  const std::uint64_t count = many != nullptr ? std::strtoull(many, nullptr, 10) : 600;
  const std::uint64_t end = one != nullptr ? begin + 1 : begin + count;
  for (std::uint64_t seed = begin; seed < end; ++seed) {
    SCOPED_TRACE("PENSTOCK_SEED=" + std::to_string(seed));
    World(seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace penstock
