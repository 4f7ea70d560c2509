#include "penstock/link/packer.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "recording_sink.hpp"

namespace penstock {
namespace {

using namespace test;

constexpr std::size_t prologue = frame_layout::prologue;

std::string text(const Buffer& bytes) { return to_hex(bytes); }

TEST(FramePacker, OneBlockThenPadding) {
  Buffer frame(prologue + 12, std::byte{0xee});
  const Buffer packet = {std::byte{0xaa}, std::byte{0xbb}, std::byte{0xcc}};
  FramePacker packer;
  EXPECT_FALSE(packer.is_open());
  packer.begin(frame);
  EXPECT_TRUE(packer.is_open());
  EXPECT_TRUE(packer.is_empty());
  EXPECT_EQ(packer.room(), 12u);

  BlockSource block(BlockKind::ethernet, packet);
  EXPECT_FALSE(block.is_started());
  EXPECT_FALSE(block.is_done());
  packer.append(block);
  EXPECT_TRUE(block.is_done());
  EXPECT_EQ(packer.used(), 7u);
  EXPECT_FALSE(packer.is_empty());

  EXPECT_EQ(packer.finish(), 5u);
  EXPECT_FALSE(packer.is_open());
  EXPECT_EQ(text(frame), "00000000"
                         "01000003aabbcc"
                         "0000000000");
}

TEST(FramePacker, EmptyFrameIsAllPadding) {
  Buffer frame(prologue + 6, std::byte{0xee});
  FramePacker packer;
  packer.begin(frame);
  EXPECT_EQ(packer.finish(), 6u);
  EXPECT_EQ(text(frame), "00060000"
                         "000000000000");
}

TEST(FramePacker, SeveralBlocksStandBehindEachOther) {
  Buffer frame(prologue + 20);
  FramePacker packer;
  packer.begin(frame);
  for (const auto kind : {BlockKind::ethernet, BlockKind::ip, BlockKind::control}) {
    const Buffer bytes = {std::byte{9}};
    BlockSource block(kind, bytes);
    packer.append(block);
    EXPECT_TRUE(block.is_done());
  }
  EXPECT_EQ(packer.finish(), 5u);
  EXPECT_EQ(text(frame), "00000000"
                         "0100000109"
                         "0200000109"
                         "0400000109"
                         "0000000000");
}

TEST(FramePacker, BlockContinuesAndFirstPointsBehindIt) {
  Buffer frames[2] = {Buffer(prologue + 8), Buffer(prologue + 16)};
  const Buffer packet = pattern(10);
  BlockSource block(BlockKind::ethernet, packet);
  FramePacker packer;
  packer.begin(frames[0]);
  packer.append(block);
  EXPECT_TRUE(block.is_started());
  EXPECT_FALSE(block.is_done());
  EXPECT_EQ(packer.room(), 0u);
  EXPECT_EQ(packer.finish(), 0u);
  packer.begin(frames[1]);
  packer.append(block);
  EXPECT_TRUE(block.is_done());
  EXPECT_EQ(packer.used(), 6u);
  const Buffer none;
  BlockSource next(BlockKind::control, none);
  packer.append(next);
  packer.finish();
  EXPECT_EQ(load_be16(frames[0].data()), 0);
  EXPECT_EQ(load_be16(frames[1].data()), 6);
  EXPECT_EQ(to_hex(Bytes{frames[1]}.subspan(prologue, 6)), to_hex(Bytes{packet}.subspan(4)));
}

TEST(FramePacker, FirstIsThePayloadLengthWhereNoBlockStarts) {
  const Buffer packet = pattern(25);
  BlockSource block(BlockKind::ethernet, packet);
  FramePacker packer;
  std::vector<std::uint16_t> firsts;
  while (!block.is_done()) {
    Buffer frame(prologue + 12);
    packer.begin(frame);
    packer.append(block);
    packer.finish();
    firsts.push_back(load_be16(frame.data()));
  }
  EXPECT_EQ(firsts, (std::vector<std::uint16_t>{0, 12, 12}));  // 8, 12 and 5 bytes
}

TEST(FramePacker, HeaderNeverStraddlesFrames) {
  for (std::size_t left = 0; left <= 8; ++left) {
    Buffer frame(prologue + 4 + 8 + left, std::byte{0xee});
    const Buffer eight = pattern(8);
    const Buffer packet = pattern(20, 1);
    BlockSource before(BlockKind::ethernet, eight);
    BlockSource block(BlockKind::ethernet, packet);
    FramePacker packer;
    packer.begin(frame);
    packer.append(before);
    ASSERT_EQ(packer.room(), left);
    EXPECT_EQ(packer.is_full(), left < 4);
    packer.append(block);
    EXPECT_EQ(block.is_started(), left >= 4) << left;
    EXPECT_EQ(packer.finish(), left < 4 ? left : 0) << left;
    if (left < 4) {
      for (std::size_t at = frame.size() - left; at < frame.size(); ++at) {
        EXPECT_EQ(frame[at], std::byte{0}) << left;
      }
    }
  }
}

TEST(FramePacker, ZeroLengthBlockFitsTheLastFourBytes) {
  Buffer frame(prologue + 4);
  const Buffer none;
  BlockSource block(BlockKind::control, none);
  FramePacker packer;
  packer.begin(frame);
  packer.append(block);
  EXPECT_TRUE(block.is_done());
  EXPECT_EQ(packer.finish(), 0u);
  EXPECT_EQ(text(frame), "00000000"
                         "04000000");
}

TEST(FramePacker, PiecesAreJoinedWhereverTheFrameEnds) {
  const Buffer packet = pattern(60);
  const Bytes whole{packet};
  for (std::size_t payload = 5; payload < 80; ++payload) {
    const Bytes pieces[] = {whole.first(10), whole.subspan(10, 0), whole.subspan(10, 12),
                            whole.subspan(22)};
    BlockSource block(BlockKind::offload_ethernet, pieces);
    EXPECT_EQ(block.length(), 60u);
    Buffer joined;
    FramePacker packer;
    while (!block.is_done()) {
      Buffer frame(prologue + payload);
      packer.begin(frame);
      packer.append(block);
      const std::size_t used = packer.used();
      packer.finish();
      joined.insert(joined.end(), frame.begin() + prologue,
                    frame.begin() + prologue + static_cast<std::ptrdiff_t>(used));
    }
    EXPECT_EQ(to_hex(Bytes{joined}.first(4)), "0300003c");
    joined.erase(joined.begin(), joined.begin() + 4);
    EXPECT_EQ(joined, packet) << payload;
  }
}

TEST(FramePacker, WritesNothingOutsideTheFrame) {
  Buffer memory(64, std::byte{0xee});
  const Buffer packet = pattern(100);
  BlockSource block(BlockKind::ethernet, packet);
  FramePacker packer;
  packer.begin(MutableBytes{memory}.subspan(16, 32));
  packer.append(block);
  packer.finish();
  for (std::size_t at = 0; at < 16; ++at) {
    EXPECT_EQ(memory[at], std::byte{0xee});
    EXPECT_EQ(memory[48 + at], std::byte{0xee});
  }
}

TEST(FramePacker, TwentySmallPacketsFitADefaultFrame) {
  constexpr FrameShape shape{.size = 1472, .tag = 16};
  Buffer frame(shape.plaintext());
  const Buffer packet = pattern(64);
  FramePacker packer;
  packer.begin(frame);
  std::size_t packets = 0;
  for (;; ++packets) {
    BlockSource block(BlockKind::ethernet, packet);
    packer.append(block);
    if (!block.is_done()) break;
  }
  EXPECT_GE(packets, 20u);
}

TEST(FramesNeeded, AgreesWithThePacker) {
  for (std::size_t length = 0; length < 70; ++length) {
    for (std::size_t room = 0; room < 30; ++room) {
      constexpr std::size_t payload = 17;
      const Buffer packet = pattern(length);
      BlockSource block(BlockKind::ethernet, packet);
      FramePacker packer;
      Buffer open(prologue + room);
      if (room > 0) {
        packer.begin(open);
        packer.append(block);
        packer.finish();
      }
      std::size_t frames = 0;
      while (!block.is_done()) {
        Buffer frame(prologue + payload);
        packer.begin(frame);
        packer.append(block);
        packer.finish();
        ++frames;
      }
      EXPECT_EQ(frames_needed(length, room, payload), frames) << length << " " << room;
    }
  }
}

TEST(FramePackerDeathTest, MisuseStopsTheProcess) {
  FramePacker packer;
  Buffer tiny(prologue);
  Buffer huge(limits::max_frame_size + 1);
  EXPECT_DEATH(packer.begin(tiny), "prologue");
  EXPECT_DEATH(packer.begin(huge), "no longer than a frame");
  EXPECT_DEATH((void)packer.finish(), "open");
  EXPECT_DEATH((BlockSource{BlockKind::ethernet, std::array<Bytes, 5>{}}), "four pieces");
}

}  // namespace
}  // namespace penstock
