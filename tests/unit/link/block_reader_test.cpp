#include "penstock/link/block_reader.hpp"

#include <span>

#include <gtest/gtest.h>

#include "plaintext.hpp"

namespace penstock {
namespace {

using namespace test;
using enum ReassemblyFault;
using Faults = std::vector<ReassemblyFault>;

class BlockReaderTest : public ::testing::Test {
 protected:
  void read(const Plaintext& plaintext) { reader_.read(Bytes{plaintext}, sink_); }
  void lose() { reader_.lose(sink_); }
  // Shows that reading goes on in step after whatever the test did.
  void expect_in_step() {
    const std::size_t before = sink_.blocks.size();
    const Faults faults = sink_.faults;
    const Buffer witness = pattern(7, 99);
    read(Plaintext(0).block(1, witness).zeros(9));
    ASSERT_EQ(sink_.blocks.size(), before + 1);
    EXPECT_EQ(sink_.blocks.back().bytes, witness);
    EXPECT_EQ(sink_.faults, faults);
  }

  BlockReader reader_;
  RecordingSink sink_;
};

TEST_F(BlockReaderTest, BlockInsideAFrameIsHandedOutWhereItLies) {
  const Buffer packet = pattern(30);
  const Plaintext plaintext = Plaintext(0).block(1, packet).zeros(20);
  read(plaintext);
  ASSERT_EQ(sink_.blocks.size(), 1u);
  EXPECT_EQ(sink_.blocks[0].kind, BlockKind::ethernet);
  EXPECT_EQ(sink_.blocks[0].bytes, packet);
  EXPECT_EQ(sink_.blocks[0].at, Bytes{plaintext}.data() + 8);
  EXPECT_TRUE(sink_.faults.empty());
}

TEST_F(BlockReaderTest, EveryKnownKindPassesInOrder) {
  Plaintext plaintext(0);
  for (unsigned kind = 1; kind <= 4; ++kind) plaintext.block(kind, pattern(kind, kind));
  read(plaintext);
  ASSERT_EQ(sink_.blocks.size(), 4u);
  for (unsigned kind = 1; kind <= 4; ++kind) {
    EXPECT_EQ(static_cast<unsigned>(sink_.blocks[kind - 1].kind), kind);
    EXPECT_EQ(sink_.blocks[kind - 1].bytes, pattern(kind, kind));
  }
}

TEST_F(BlockReaderTest, ZeroLengthBlocksAreBlocks) {
  read(Plaintext(0).block(4, {}).block(1, {}).block(1, pattern(1)));
  ASSERT_EQ(sink_.blocks.size(), 3u);
  EXPECT_TRUE(sink_.blocks[0].bytes.empty());
  EXPECT_TRUE(sink_.blocks[1].bytes.empty());
}

TEST_F(BlockReaderTest, PaddingEndsTheFrameWhateverFollows) {
  read(Plaintext(0).block(1, pattern(5)).header(0, 1).block(1, pattern(5)));
  EXPECT_EQ(sink_.blocks.size(), 1u);
  EXPECT_TRUE(sink_.faults.empty());
  expect_in_step();
}

TEST_F(BlockReaderTest, EmptyAndDummyFramesSayNothing) {
  read(Plaintext(0));
  read(Plaintext(40).zeros(40));
  read(Plaintext(0).zeros(40));
  EXPECT_TRUE(sink_.blocks.empty());
  EXPECT_TRUE(sink_.faults.empty());
  expect_in_step();
}

TEST_F(BlockReaderTest, FewerThanFourBytesAtTheEndArePadding) {
  for (std::size_t left = 0; left < 4; ++left) {
    Plaintext plaintext = Plaintext(0).block(1, pattern(5));
    for (std::size_t i = 0; i < left; ++i) plaintext.bytes(std::array{std::byte{0xff}});
    read(plaintext);
    EXPECT_TRUE(sink_.faults.empty());
    expect_in_step();
  }
}

TEST_F(BlockReaderTest, BlockHeaderAtEveryDistanceFromTheEnd) {
  constexpr std::size_t payload = 40;
  const Buffer packet = pattern(25, 3);
  for (std::size_t distance = 4; distance <= payload - 4; ++distance) {
    const Buffer before = pattern(payload - distance - 4, 1);
    const std::size_t here = std::min(packet.size(), distance - 4);
    Plaintext plaintext = Plaintext(0).block(1, before).header(1, 25);
    plaintext.bytes(Bytes{packet}.first(here)).zeros(distance - 4 - here);
    read(plaintext);
    if (here < packet.size()) {
      const std::size_t left = packet.size() - here;
      read(Plaintext(static_cast<std::uint16_t>(left))
               .bytes(Bytes{packet}.subspan(here))
               .zeros(payload - left));
    }
    ASSERT_FALSE(sink_.blocks.empty());
    EXPECT_EQ(sink_.blocks.back().bytes, packet) << distance;
    EXPECT_TRUE(sink_.faults.empty()) << distance;
    expect_in_step();
  }
}

TEST_F(BlockReaderTest, BlockContinuesThroughManyFrames) {
  const Buffer packet = pattern(1000);
  Bytes left{packet};
  read(Plaintext(0).header(3, 1000).bytes(left.first(10)));
  left = left.subspan(10);
  while (left.size() > 50) {
    read(Plaintext(50).bytes(left.first(50)));
    left = left.subspan(50);
  }
  EXPECT_TRUE(sink_.blocks.empty());
  read(Plaintext(static_cast<std::uint16_t>(left.size())).bytes(left).block(1, pattern(3)));
  ASSERT_EQ(sink_.blocks.size(), 2u);
  EXPECT_EQ(sink_.blocks[0].kind, BlockKind::offload_ethernet);
  EXPECT_EQ(sink_.blocks[0].bytes, packet);
  EXPECT_EQ(sink_.blocks[1].bytes, pattern(3));
  EXPECT_TRUE(sink_.faults.empty());
}

TEST_F(BlockReaderTest, LargestBlockPassesAndOneByteMoreIsSkipped) {
  for (const std::size_t length : {limits::max_block, limits::max_block + 1}) {
    const Buffer packet = pattern(length);
    read(Plaintext(0).header(1, static_cast<std::uint32_t>(length)));
    Bytes left{packet};
    while (left.size() > 8000) {
      read(Plaintext(8000).bytes(left.first(8000)));
      left = left.subspan(8000);
    }
    read(Plaintext(static_cast<std::uint16_t>(left.size())).bytes(left));
    expect_in_step();
  }
  ASSERT_EQ(sink_.blocks.size(), 3u);  // it, and two witnesses
  EXPECT_EQ(sink_.blocks[0].bytes, pattern(limits::max_block));
  EXPECT_EQ(sink_.faults, Faults{bad_block});
}

TEST_F(BlockReaderTest, LongestPossibleLengthIsSkippedByItsLength) {
  std::size_t left = 0xffffff;
  read(Plaintext(0).header(1, 0xffffff).zeros(8000));
  left -= 8000;
  for (; left > 8000; left -= 8000) read(Plaintext(8000).zeros(8000));
  read(Plaintext(static_cast<std::uint16_t>(left)).zeros(left).block(1, pattern(3)));
  ASSERT_EQ(sink_.blocks.size(), 1u);
  EXPECT_EQ(sink_.faults, Faults{bad_block});
}

TEST_F(BlockReaderTest, UnknownKindsAreSkippedByTheirLength) {
  for (unsigned kind = 5; kind < 256; ++kind) {
    sink_ = {};
    read(Plaintext(0).block(kind, pattern(9)).block(1, pattern(4)));
    EXPECT_EQ(sink_.faults, Faults{unknown_kind}) << kind;
    ASSERT_EQ(sink_.blocks.size(), 1u) << kind;
    EXPECT_EQ(sink_.blocks[0].bytes, pattern(4));
  }
}

TEST_F(BlockReaderTest, UnknownKindIsSkippedAcrossFramesAndCountedOnce) {
  read(Plaintext(0).header(200, 30).zeros(10));
  read(Plaintext(10).zeros(10));
  read(Plaintext(10).zeros(10).block(1, pattern(4)));
  EXPECT_EQ(sink_.faults, Faults{unknown_kind});
  EXPECT_EQ(sink_.blocks.size(), 1u);
}

// --- the prologue ---------------------------------------------------------------------

TEST_F(BlockReaderTest, EveryFlagIsABadPrologue) {
  for (unsigned bit = 0; bit < 16; ++bit) {
    sink_ = {};
    read(Plaintext(0, static_cast<std::uint16_t>(1u << bit)).block(1, pattern(5)));
    EXPECT_EQ(sink_.faults, Faults{bad_prologue}) << bit;
    EXPECT_TRUE(sink_.blocks.empty());
    expect_in_step();
  }
}

TEST_F(BlockReaderTest, FirstBeyondThePayloadIsABadPrologue) {
  for (const unsigned first : {10u, 11u, 0xffffu}) {
    sink_ = {};
    read(Plaintext(static_cast<std::uint16_t>(first)).block(1, pattern(5)));
    EXPECT_EQ(sink_.faults, Faults{bad_prologue}) << first;
    EXPECT_TRUE(sink_.blocks.empty());
  }
}

TEST_F(BlockReaderTest, PlaintextTooShortForAPrologueIsABadPrologue) {
  const Buffer bytes(3);
  for (std::size_t length = 0; length < 4; ++length) {
    reader_.read(Bytes{bytes}.first(length), sink_);
  }
  EXPECT_EQ(sink_.faults, Faults(4, bad_prologue));
  expect_in_step();
}

TEST_F(BlockReaderTest, BadPrologueDropsTheOpenBlock) {
  read(Plaintext(0).header(1, 20).zeros(10));
  read(Plaintext(10, 1).zeros(10));
  EXPECT_EQ(sink_.faults, Faults{bad_prologue});
  read(Plaintext(10).zeros(10).block(1, pattern(6)));  // whatever those ten bytes were
  ASSERT_EQ(sink_.blocks.size(), 1u);
  EXPECT_EQ(sink_.blocks[0].bytes, pattern(6));
  EXPECT_EQ(sink_.faults, Faults{bad_prologue});
}

TEST_F(BlockReaderTest, OpenBlockMayEndOnlyWhereItEnds) {
  constexpr std::uint16_t left = 10;
  for (std::uint16_t first = 0; first < 20; ++first) {
    SCOPED_TRACE(first);
    reader_ = {};
    sink_ = {};
    read(Plaintext(0).header(1, 16).zeros(6));
    // `first` zeros, then a block to go on with, in a payload of 30 bytes.
    read(Plaintext(first).zeros(first).block(1, pattern(3)).zeros(23u - first));
    const bool is_right = first == left;
    EXPECT_EQ(sink_.faults, is_right ? Faults{} : Faults{bad_prologue});
    ASSERT_EQ(sink_.blocks.size(), is_right ? 2u : 1u);
    EXPECT_EQ(sink_.blocks.back().bytes, pattern(3));
    expect_in_step();
  }
}

TEST_F(BlockReaderTest, OpenBlockMayEndInAFrameThatStartsNone) {
  read(Plaintext(0).header(1, 16).zeros(6));
  read(Plaintext(30).zeros(30));
  EXPECT_TRUE(sink_.faults.empty());
  ASSERT_EQ(sink_.blocks.size(), 1u);
  EXPECT_EQ(sink_.blocks[0].bytes.size(), 16u);
  expect_in_step();
}

TEST_F(BlockReaderTest, StartInsideALongOpenBlockIsABadPrologue) {
  for (std::uint16_t first = 0; first < 10; ++first) {
    reader_ = {};
    sink_ = {};
    read(Plaintext(0).header(1, 100));
    read(Plaintext(first).zeros(10));
    EXPECT_EQ(sink_.faults, Faults{bad_prologue}) << first;
    expect_in_step();
  }
}

TEST_F(BlockReaderTest, SkippedBlockIsHeldToTheSameRules) {
  read(Plaintext(0).header(77, 16).zeros(6));
  read(Plaintext(4).zeros(4).block(1, pattern(3)));
  EXPECT_EQ(sink_.faults, (Faults{unknown_kind, bad_prologue}));
  EXPECT_EQ(sink_.blocks.size(), 1u);
}

TEST_F(BlockReaderTest, BytesBeforeFirstThatBelongToNothingAreABadPrologue) {
  read(Plaintext(6).zeros(6).block(1, pattern(3)));
  EXPECT_EQ(sink_.faults, Faults{bad_prologue});
  ASSERT_EQ(sink_.blocks.size(), 1u);
  EXPECT_EQ(sink_.blocks[0].bytes, pattern(3));
}

// --- losses -----------------------------------------------------------------------------

TEST_F(BlockReaderTest, LossOfTheMiddleOfABlockCostsThatBlock) {
  read(Plaintext(0).header(1, 30).zeros(10));
  lose();
  EXPECT_EQ(sink_.faults, Faults{incomplete});
  read(Plaintext(10).zeros(10).block(1, pattern(6)));
  EXPECT_EQ(sink_.faults, Faults{incomplete});
  ASSERT_EQ(sink_.blocks.size(), 1u);
  EXPECT_EQ(sink_.blocks[0].bytes, pattern(6));
}

TEST_F(BlockReaderTest, LossOfTheStartOfABlockCostsThatBlock) {
  read(Plaintext(0).block(1, pattern(6)));
  lose();
  EXPECT_TRUE(sink_.faults.empty());
  read(Plaintext(10).zeros(10));  // the middle of a block, or nothing: nobody can tell
  EXPECT_TRUE(sink_.faults.empty());
  read(Plaintext(5).zeros(5).block(1, pattern(7)));
  EXPECT_EQ(sink_.faults, Faults{incomplete});
  ASSERT_EQ(sink_.blocks.size(), 2u);
  EXPECT_EQ(sink_.blocks[1].bytes, pattern(7));
}

TEST_F(BlockReaderTest, LossBetweenBlocksCostsNothingElse) {
  read(Plaintext(0).block(1, pattern(6)));
  lose();
  expect_in_step();
  EXPECT_TRUE(sink_.faults.empty());
}

TEST_F(BlockReaderTest, LossWhileSkippingIsNotCountedAgain) {
  read(Plaintext(0).header(77, 30).zeros(10));
  lose();
  lose();
  read(Plaintext(10).zeros(10).block(1, pattern(6)));
  EXPECT_EQ(sink_.faults, Faults{unknown_kind});
  EXPECT_EQ(sink_.blocks.size(), 1u);
}

TEST_F(BlockReaderTest, LossesInARowAreOneForTheBlock) {
  read(Plaintext(0).header(1, 100).zeros(10));
  lose();
  read(Plaintext(10).zeros(10));
  lose();
  read(Plaintext(10).zeros(10));
  lose();
  read(Plaintext(2).zeros(2).block(1, pattern(6)));
  EXPECT_EQ(sink_.faults, Faults{incomplete});
  EXPECT_EQ(sink_.blocks.size(), 1u);
}

}  // namespace
}  // namespace penstock
