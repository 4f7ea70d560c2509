// One frame whose contents a peer with the key has spoilt, anywhere among good ones: everything
// that did not touch it comes out, in order and byte for byte; and no fault goes uncounted.
#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/link/packer.hpp"
#include "penstock/link/reassembler.hpp"
#include "recording_sink.hpp"

namespace penstock {
namespace {

using namespace test;

struct Packed {
  Buffer bytes;
  std::size_t first_frame = 0;
  std::size_t last_frame = 0;
};

class Spoilt {
 public:
  explicit Spoilt(std::uint32_t seed) : random_(seed), payload_(between(60, 400)) {}

  void run() {
    pack();
    spoilt_ = between(0, frames_.size() - 1);
    spoil(frames_[spoilt_]);
    HeldBudget budget{.limit = 200};
    Reassembler reassembler(budget, 1);
    for (std::size_t number = 0; number < frames_.size(); ++number)
      reassembler.accept({number}, frames_[number], &frames_[number], 0, sink_);
    reassembler.flush(sink_);
    compare();
  }

 private:
  std::size_t between(std::size_t low, std::size_t high) {
    return low + random_() % (high - low + 1);
  }

  void pack() {
    FramePacker packer;
    const std::size_t count = between(3, 30);
    for (std::size_t i = 0; i < count; ++i) {
      Packed packet{.bytes = pattern(between(0, 3) == 0 ? between(500, 3000) : between(8, 120),
                                     static_cast<unsigned>(i))};
      BlockSource block(BlockKind::ethernet, packet.bytes);
      while (!block.is_done()) {
        if (!packer.is_open())
          packer.begin(frames_.emplace_back(frame_layout::prologue + payload_));
        const bool was_started = block.is_started();
        packer.append(block);
        if (!was_started && block.is_started()) packet.first_frame = frames_.size() - 1;
        if (!block.is_done() || packer.is_full() || between(0, 9) == 0) packer.finish();
      }
      packet.last_frame = frames_.size() - 1;
      packets_.push_back(std::move(packet));
    }
    if (packer.is_open()) packer.finish();
  }

  void spoil(Buffer& frame) {
    switch (between(0, 3)) {
      case 0:  // the prologue
        for (std::size_t at = 0; at < frame_layout::prologue; ++at)
          frame[at] = static_cast<std::byte>(random_());
        return;
      case 1:  // all of it
        std::ranges::generate(frame, [this] { return static_cast<std::byte>(random_()); });
        return;
      case 2:  // a byte
        frame[between(0, frame.size() - 1)] ^= static_cast<std::byte>(between(1, 255));
        return;
      default:  // a first block header of any kind and length
        store_u8(&frame[frame_layout::prologue], static_cast<std::uint8_t>(between(0, 6)));
        store_be24(&frame[frame_layout::prologue + 1],
                   static_cast<std::uint32_t>(between(0, 2 * limits::max_block)));
    }
  }

  void compare() {
    std::size_t at = 0;
    for (const Packed& packet : packets_) {
      if (packet.first_frame <= spoilt_ && spoilt_ <= packet.last_frame) continue;
      while (at < sink_.blocks.size() && sink_.blocks[at].bytes != packet.bytes) ++at;
      ASSERT_LT(at++, sink_.blocks.size()) << "a packet that touched no spoilt frame is missing";
    }
    const std::size_t out = sink_.blocks.size();
    EXPECT_LE(out, packets_.size() + payload_ / block_header);
    EXPECT_EQ(sink_.released.size(), frames_.size());
  }

  std::mt19937 random_;
  std::size_t payload_;
  std::vector<Packed> packets_;
  std::deque<Buffer> frames_;
  std::size_t spoilt_ = 0;
  RecordingSink sink_;
};

TEST(MalformedProperty, ASpoiltFrameCostsOnlyWhatTouchedIt) {
  for (std::uint32_t seed = 0; seed < 5000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Spoilt(seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace penstock
