// Packets through frames of every size that a link may have: packets of every length around the
// places where they just fit, and just do not.
#include <algorithm>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/link/packer.hpp"
#include "penstock/link/reassembler.hpp"
#include "recording_sink.hpp"

namespace penstock {
namespace {

using namespace test;

constexpr std::size_t longest = 9216;

class Frames {
 public:
  explicit Frames(std::size_t plaintext) : plaintext_(plaintext) {}

  void pack(const Buffer& packet) {
    BlockSource block(BlockKind::ethernet, packet);
    const std::size_t room = packer_.is_open() ? packer_.room() : 0;
    const std::size_t expected =
        frames_needed(packet.size(), room, plaintext_ - frame_layout::prologue);
    const std::size_t before = frames_.size();
    while (!block.is_done()) {
      if (!packer_.is_open()) packer_.begin(frames_.emplace_back(plaintext_, std::byte{0xee}));
      packer_.append(block);
      if (packer_.is_full()) packer_.finish();
    }
    EXPECT_EQ(frames_.size() - before, expected) << packet.size();
  }
  void finish() {
    if (packer_.is_open()) packer_.finish();
  }
  [[nodiscard]] std::deque<Buffer>& all() { return frames_; }

 private:
  std::size_t plaintext_;
  FramePacker packer_;
  std::deque<Buffer> frames_;
};

// Of packets: empty ones, the shortest, the longest, and around each multiple of the payload.
std::vector<std::size_t> lengths_for(std::size_t payload) {
  std::vector<std::size_t> lengths{0, 1, 14, 60, 1514, longest - 1, longest};
  for (std::size_t multiple = payload; multiple <= longest + block_header; multiple += payload)
    for (std::size_t length = multiple - std::min(multiple, std::size_t{9}); length <= multiple + 4;
         ++length)
      if (length <= longest) lengths.push_back(length);
  return lengths;
}

// The frames lie in order, so every packet comes out whole, in the order in which it went in.
template <class Sink>
void expect_all_out(Frames& frames, const std::vector<Buffer>& packets) {
  HeldBudget budget{.limit = 10};
  Reassembler reassembler(budget, 1);
  Sink sink;
  for (std::uint64_t number = 0; number < frames.all().size(); ++number) {
    Buffer& frame = frames.all()[number];
    reassembler.accept({number}, frame, &frame, 0, sink);
  }
  reassembler.flush(sink);
  EXPECT_TRUE(sink.faults.empty());
  ASSERT_EQ(sink.blocks.size(), packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i)
    ASSERT_TRUE(sink.blocks[i].bytes == packets[i]) << "packet " << i << ", " << packets[i].size();
}

// One frame a packet, or behind each other: the second has every packet begin anywhere.
void try_frame_size(std::size_t size, std::size_t tag) {
  SCOPED_TRACE("frame size " + std::to_string(size) + ", tag " + std::to_string(tag));
  const FrameShape shape{.size = static_cast<std::uint16_t>(size),
                         .tag = static_cast<std::uint8_t>(tag)};
  std::vector<Buffer> packets;
  for (const std::size_t length : lengths_for(shape.payload()))
    packets.push_back(pattern(length, static_cast<unsigned>(packets.size())));
  Frames behind_each_other(shape.plaintext());
  Frames alone(shape.plaintext());
  for (const Buffer& packet : packets) {
    behind_each_other.pack(packet);
    alone.pack(packet);
    alone.finish();
  }
  behind_each_other.finish();
  expect_all_out<RecordingSink>(behind_each_other, packets);
  expect_all_out<LendingRecorder>(behind_each_other, packets);
  expect_all_out<RecordingSink>(alone, packets);
  expect_all_out<LendingRecorder>(alone, packets);
}

TEST(Fragmentation, EveryFrameSizeCarriesEveryLength) {
  for (std::size_t size = limits::min_frame_size; size <= limits::max_frame_size;
       size += size < 1600 ? 29 : 251) {
    try_frame_size(size, limits::default_tag);
    if (HasFailure()) return;
  }
}

TEST(Fragmentation, TheSmallestAndTheLargestFramesWithOtherTags) {
  for (const std::size_t tag : {limits::min_tag, std::size_t{13}, std::size_t{32}, limits::max_tag})
    for (const std::size_t size :
         {limits::min_frame_size, std::size_t{1472}, std::size_t{8972}, limits::max_frame_size}) {
      try_frame_size(size, tag);
      if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace penstock
