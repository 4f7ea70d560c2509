#include "reassembler_fixture.hpp"

namespace penstock {
namespace {

using namespace test;
using enum ReassemblyFault;

TEST_F(ReassemblerTest, InOrderFramesPassAndAreReleasedAtOnce) {
  for (std::uint64_t number = 0; number < 500; ++number) {
    accept(number);
    EXPECT_EQ(delivered(), Numbers{number});
    EXPECT_EQ(sink_.released.back(), &frames_.back());
    EXPECT_FALSE(reassembler_.has_gap());
  }
  EXPECT_EQ(budget_.held, 0u);
  EXPECT_TRUE(sink_.faults.empty());
}

TEST_F(ReassemblerTest, SwappedFramesAreDeliveredInOrder) {
  accept(1);
  EXPECT_TRUE(delivered().empty());
  EXPECT_TRUE(sink_.released.empty());
  EXPECT_TRUE(reassembler_.has_gap());
  EXPECT_EQ(budget_.held, 1u);
  accept(0);
  EXPECT_EQ(delivered(), (Numbers{0, 1}));
  EXPECT_FALSE(reassembler_.has_gap());
  EXPECT_EQ(budget_.held, 0u);
  EXPECT_TRUE(sink_.faults.empty());
}

TEST_F(ReassemblerTest, WindowBackwardsIsDeliveredInOrder) {
  for (std::uint64_t base = 0; base < 3 * window; base += window) {
    for (std::uint64_t back = 1; back <= window; ++back) accept(base + window - back);
    EXPECT_EQ(delivered(), range(base, base + window - 1));
  }
  EXPECT_TRUE(sink_.faults.empty());
}

TEST_F(ReassemblerTest, SeveralGapsFillOneByOne) {
  accept(1);
  accept(3);
  accept(5);
  accept(2);
  EXPECT_TRUE(delivered().empty());
  accept(0);
  EXPECT_EQ(delivered(), (Numbers{0, 1, 2, 3}));
  EXPECT_TRUE(reassembler_.has_gap());
  accept(4);
  EXPECT_EQ(delivered(), (Numbers{4, 5}));
  EXPECT_FALSE(reassembler_.has_gap());
}

// --- the end, and blocks across losses ------------------------------------------------------

TEST_F(ReassemblerTest, FlushDeliversWhatIsWholeAndReleasesEverything) {
  accept(2);
  accept(9);
  accept(100);
  reassembler_.flush(sink_);
  EXPECT_EQ(delivered(), (Numbers{2, 9, 100}));
  EXPECT_EQ(sink_.released.size(), 3u);
  EXPECT_EQ(budget_.held, 0u);
  EXPECT_FALSE(reassembler_.has_gap());
}

TEST_F(ReassemblerTest, FlushCountsTheOpenBlock) {
  accept(0, Plaintext(0).header(1, 30).zeros(10));
  reassembler_.flush(sink_);
  EXPECT_EQ(sink_.count(incomplete), 1);
  reassembler_.flush(sink_);
  EXPECT_EQ(sink_.count(incomplete), 1);
}

TEST_F(ReassemblerTest, BlockIsPutTogetherFromFramesThatCameBackwards) {
  const Buffer packet = pattern(30);
  const Bytes whole{packet};
  accept(2, Plaintext(10).bytes(whole.subspan(20)));
  accept(1, Plaintext(10).bytes(whole.subspan(10, 10)));
  accept(0, Plaintext(0).header(1, 30).bytes(whole.first(10)));
  ASSERT_EQ(sink_.blocks.size(), 1u);
  EXPECT_EQ(sink_.blocks[0].bytes, packet);
  EXPECT_TRUE(sink_.faults.empty());
}

TEST_F(ReassemblerTest, LostFrameCostsOnlyTheBlocksThatTouchedIt) {
  Buffer name(8);
  const auto numbered = [&](std::uint64_t number) {
    store_be64(name.data(), number);
    return Bytes{name};
  };
  accept(0, Plaintext(0).block(1, numbered(100)).header(1, 20).zeros(10));
  accept(2, Plaintext(3).zeros(3).block(1, numbered(200)));
  reassembler_.expire(wait, sink_);
  EXPECT_EQ(delivered(), (Numbers{100, 200}));
  EXPECT_EQ(sink_.count(incomplete), 1);
}

TEST_F(ReassemblerTest, MovesWithWhatItHolds) {
  accept(1);
  Reassembler moved(std::move(reassembler_));
  EXPECT_EQ(budget_.held, 1u);
  moved.flush(sink_);
  EXPECT_EQ(delivered(), Numbers{1});
  reassembler_ = std::move(moved);
  accept(2);
  EXPECT_EQ(delivered(), Numbers{2});
}

TEST(Reassembler, ForgottenFramesGiveTheBudgetBack) {
  HeldBudget budget{.limit = 10};
  RecordingSink sink;
  const Plaintext plaintext(0);
  {
    Reassembler reassembler(budget, wait);
    reassembler.accept({5}, Bytes{plaintext}, nullptr, 0, sink);
    EXPECT_EQ(budget.held, 1u);
  }
  EXPECT_EQ(budget.held, 0u);
  EXPECT_TRUE(sink.released.empty());
}

TEST(Reassembler, HotPartIsSmall) { EXPECT_LE(sizeof(Reassembler), 128u); }

}  // namespace
}  // namespace penstock
