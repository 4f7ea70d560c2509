#include "penstock/link/reassembler.hpp"

#include <algorithm>
#include <deque>
#include <optional>

#include <gtest/gtest.h>

#include "plaintext.hpp"

namespace penstock {
namespace {

using namespace test;
using enum ReassemblyFault;

constexpr std::uint64_t window = limits::reorder_window;
constexpr std::uint64_t wait = 1000;

// Frames that carry one small block each, which names the frame's number.
class ReassemblerTest : public ::testing::Test {
 protected:
  ~ReassemblerTest() override {
    reassembler.flush(sink);
    EXPECT_EQ(budget.held, 0u);
    EXPECT_EQ(given, sink.released.size());
    std::ranges::sort(sink.released);
    EXPECT_TRUE(std::ranges::adjacent_find(sink.released) == sink.released.end());
  }

  void accept(std::uint64_t number, std::uint64_t now = 0) {
    Buffer name(8);
    store_be64(name.data(), number);
    accept(number, Plaintext(0).block(1, name), now);
  }
  void accept(std::uint64_t number, const Plaintext& plaintext, std::uint64_t now = 0) {
    frames.push_back(plaintext);
    reassembler.accept({number}, Bytes{frames.back()}, &frames.back(), now, sink);
    ++given;
  }
  void accept_range(std::uint64_t first, std::uint64_t last, std::uint64_t now = 0) {
    for (std::uint64_t number = first; number <= last; ++number) accept(number, now);
  }
  // The numbers delivered since the last call.
  std::vector<std::uint64_t> delivered() {
    std::vector<std::uint64_t> numbers;
    for (; seen < sink.blocks.size(); ++seen) {
      numbers.push_back(load_be64(sink.blocks[seen].bytes.data()));
    }
    return numbers;
  }
  static std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t number = first; number <= last; ++number) numbers.push_back(number);
    return numbers;
  }

  using Numbers = std::vector<std::uint64_t>;
  HeldBudget budget{.limit = 1000};
  Reassembler reassembler{budget, wait};
  RecordingSink sink;
  std::deque<Plaintext> frames;
  std::size_t given = 0;
  std::size_t seen = 0;
};

TEST_F(ReassemblerTest, InOrderFramesPassAndAreReleasedAtOnce) {
  for (std::uint64_t number = 0; number < 500; ++number) {
    accept(number);
    EXPECT_EQ(delivered(), Numbers{number});
    EXPECT_EQ(sink.released.back(), &frames.back());
    EXPECT_FALSE(reassembler.has_gap());
  }
  EXPECT_EQ(budget.held, 0u);
  EXPECT_TRUE(sink.faults.empty());
}

TEST_F(ReassemblerTest, SwappedFramesAreDeliveredInOrder) {
  accept(1);
  EXPECT_TRUE(delivered().empty());
  EXPECT_TRUE(sink.released.empty());
  EXPECT_TRUE(reassembler.has_gap());
  EXPECT_EQ(budget.held, 1u);
  accept(0);
  EXPECT_EQ(delivered(), (Numbers{0, 1}));
  EXPECT_FALSE(reassembler.has_gap());
  EXPECT_EQ(budget.held, 0u);
  EXPECT_TRUE(sink.faults.empty());
}

TEST_F(ReassemblerTest, WindowBackwardsIsDeliveredInOrder) {
  for (std::uint64_t base = 0; base < 3 * window; base += window) {
    for (std::uint64_t back = 1; back <= window; ++back) accept(base + window - back);
    EXPECT_EQ(delivered(), range(base, base + window - 1));
  }
  EXPECT_TRUE(sink.faults.empty());
}

TEST_F(ReassemblerTest, SeveralGapsFillOneByOne) {
  accept(1);
  accept(3);
  accept(5);
  accept(2);
  EXPECT_TRUE(delivered().empty());
  accept(0);
  EXPECT_EQ(delivered(), (Numbers{0, 1, 2, 3}));
  EXPECT_TRUE(reassembler.has_gap());
  accept(4);
  EXPECT_EQ(delivered(), (Numbers{4, 5}));
  EXPECT_FALSE(reassembler.has_gap());
}

// --- giving up by number ------------------------------------------------------------------

TEST_F(ReassemblerTest, GapAtTheStartIsAGapLikeAnyOther) {
  accept_range(1, window - 1);
  EXPECT_TRUE(delivered().empty());
  accept(window);  // the last of `window` later frames
  EXPECT_EQ(delivered(), range(1, window));
  EXPECT_EQ(budget.held, 0u);
}

TEST_F(ReassemblerTest, GapIsGivenUpWhenTheWindowIsFullNotBefore) {
  accept_range(0, 9);
  accept_range(11, 9 + window);
  EXPECT_EQ(delivered(), range(0, 9));
  accept(10 + window);
  EXPECT_EQ(delivered(), range(11, 10 + window));
}

TEST_F(ReassemblerTest, OnlyTheOldestGapIsGivenUp) {
  accept_range(1, 49);  // 0 and 50 are missing
  accept_range(51, window);
  EXPECT_EQ(delivered(), range(1, 49));
  EXPECT_TRUE(reassembler.has_gap());
  accept(50);
  EXPECT_EQ(delivered(), range(50, window));
}

TEST_F(ReassemblerTest, LateFrameIsCountedAndReleasedAtOnce) {
  accept_range(1, window);
  accept(0);
  EXPECT_EQ(sink.count(late_frame), 1);
  EXPECT_EQ(sink.released.back(), &frames.back());
  EXPECT_EQ(delivered(), range(1, window));
  accept(window);
  EXPECT_EQ(sink.count(late_frame), 2);
}

TEST_F(ReassemblerTest, SecondCopyOfAHeldFrameIsLate) {
  accept(5);
  accept(5);
  EXPECT_EQ(sink.count(late_frame), 1);
  EXPECT_EQ(sink.released, (std::vector<void*>{&frames.back()}));
  EXPECT_EQ(budget.held, 1u);
}

TEST_F(ReassemblerTest, JumpWaitsForTheFramesJustBeforeIt) {
  for (const std::uint64_t base : {window + 5, 4 * window, 100 * window, std::uint64_t{1} << 50}) {
    SCOPED_TRACE(base);
    accept(base);
    EXPECT_TRUE(delivered().empty());
    EXPECT_TRUE(reassembler.has_gap());
    accept_range(base - window + 1, base - 1);
    EXPECT_EQ(delivered(), range(base - window + 1, base));
    accept(base - window);
    EXPECT_EQ(sink.faults.back(), late_frame);
  }
}

TEST_F(ReassemblerTest, JumpDeliversWhatWasHeldBelow) {
  accept(3);
  accept(7);
  accept(1'000'000);
  EXPECT_EQ(delivered(), (Numbers{3, 7}));
  EXPECT_EQ(budget.held, 1u);
}

TEST_F(ReassemblerTest, JumpKeepsWhatIsHeldWithinTheNewWindow) {
  accept(3);
  accept(100);
  accept(100 + window - 1);  // the new window begins at 100
  EXPECT_EQ(delivered(), (Numbers{3, 100}));
  EXPECT_EQ(budget.held, 1u);
}

TEST_F(ReassemblerTest, EndOfTheNumbersDoesNotWrap) {
  constexpr std::uint64_t end = last_sequence.value;
  accept(end - 1);
  accept(end);
  EXPECT_EQ(sink.count(late_frame), 1);
  accept_range(end - window, end - 2);
  EXPECT_EQ(delivered(), range(end - window, end - 1));
  EXPECT_FALSE(reassembler.has_gap());
  accept(end);
  accept(0);
  accept(end - 1);
  EXPECT_EQ(sink.count(late_frame), 4);
  EXPECT_TRUE(delivered().empty());
}

TEST_F(ReassemblerTest, EndOfTheNumbersExpiresAndFlushes) {
  constexpr std::uint64_t end = last_sequence.value;
  accept(end - 3);
  accept(end - 1);
  reassembler.expire(wait, sink);
  EXPECT_EQ(delivered(), (Numbers{end - 3, end - 1}));
  EXPECT_FALSE(reassembler.has_gap());
}

// --- giving up by time --------------------------------------------------------------------

TEST_F(ReassemblerTest, GapIsGivenUpAtItsDeadlineNotBefore) {
  accept(1, 50);
  ASSERT_TRUE(reassembler.has_gap());
  EXPECT_EQ(reassembler.deadline(), 50 + wait);
  reassembler.expire(49 + wait, sink);
  EXPECT_TRUE(delivered().empty());
  reassembler.expire(50 + wait, sink);
  EXPECT_EQ(delivered(), Numbers{1});
  EXPECT_FALSE(reassembler.has_gap());
}

TEST_F(ReassemblerTest, ExpireWithoutAGapDoesNothing) {
  accept(0);
  reassembler.expire(1'000'000, sink);
  accept(1);
  EXPECT_EQ(delivered(), (Numbers{0, 1}));
  EXPECT_TRUE(sink.faults.empty());
}

TEST_F(ReassemblerTest, LaterFramesDoNotPutTheDeadlineOff) {
  accept(1, 50);
  accept(2, 60);
  accept(90, 500);
  EXPECT_EQ(reassembler.deadline(), 50 + wait);
}

TEST_F(ReassemblerTest, NextGapHasItsOwnDeadline) {
  accept(1, 50);
  accept(3, 80);
  reassembler.expire(50 + wait, sink);
  EXPECT_EQ(delivered(), Numbers{1});
  ASSERT_TRUE(reassembler.has_gap());
  EXPECT_EQ(reassembler.deadline(), 80 + wait);
  reassembler.expire(80 + wait, sink);
  EXPECT_EQ(delivered(), Numbers{3});
}

TEST_F(ReassemblerTest, GapIsSeenByTheFirstFrameBehindItNotTheNearest) {
  accept(9, 10);  // this one shows that 3 is missing
  accept(4, 70);  // not this one
  accept_range(0, 2, 80);
  EXPECT_EQ(delivered(), range(0, 2));
  EXPECT_EQ(reassembler.deadline(), 10 + wait);
}

TEST_F(ReassemblerTest, OneExpireGivesUpEveryGapThatIsDue) {
  accept(1, 10);
  accept(3, 30);
  accept(5, 20);  // makes the gap before 3 due as well
  accept(7, 40);
  reassembler.expire(20 + wait, sink);
  EXPECT_EQ(delivered(), (Numbers{1, 3, 5}));
  EXPECT_EQ(reassembler.deadline(), 40 + wait);
}

TEST_F(ReassemblerTest, FilledGapHasNoDeadline) {
  accept(1, 50);
  accept(0, 60);
  accept(3, 70);
  EXPECT_EQ(reassembler.deadline(), 70 + wait);
}

// --- giving up by budget ------------------------------------------------------------------

TEST_F(ReassemblerTest, SpentBudgetGivesUpTheOldestGap) {
  budget.limit = 2;
  accept(1);
  accept(3);
  accept(5);
  EXPECT_EQ(delivered(), Numbers{1});
  EXPECT_EQ(budget.held, 2u);
  accept(7);
  EXPECT_EQ(delivered(), Numbers{3});
  EXPECT_EQ(budget.held, 2u);
}

TEST_F(ReassemblerTest, BudgetSpentByOthersLetsNothingBeHeld) {
  budget.limit = 4;
  budget.held = 4;
  accept(5);
  EXPECT_EQ(delivered(), Numbers{5});
  EXPECT_FALSE(reassembler.has_gap());
  accept(3);
  EXPECT_EQ(sink.count(late_frame), 1);
  accept(6);
  EXPECT_EQ(delivered(), Numbers{6});
  budget.held = 0;
}

TEST_F(ReassemblerTest, WithoutABudgetNothingIsEverHeld) {
  budget.limit = 0;
  accept(1);
  accept(0);
  accept(1000);
  EXPECT_EQ(delivered(), (Numbers{1, 1000}));
  EXPECT_EQ(sink.count(late_frame), 1);
}

TEST_F(ReassemblerTest, SpentBudgetStillFillsTheGap) {
  budget.limit = 2;
  accept(1);
  accept(2);
  accept(0);
  EXPECT_EQ(delivered(), range(0, 2));
}

TEST_F(ReassemblerTest, SpentBudgetDeliversAFrameThatNoLongerHasAGapBefore) {
  budget.limit = 1;
  accept(1);
  accept(2);  // giving up 0 delivers 1, and then 2 is next
  EXPECT_EQ(delivered(), (Numbers{1, 2}));
  EXPECT_FALSE(reassembler.has_gap());
}

// --- the end, and blocks across losses ------------------------------------------------------

TEST_F(ReassemblerTest, FlushDeliversWhatIsWholeAndReleasesEverything) {
  accept(2);
  accept(9);
  accept(100);
  reassembler.flush(sink);
  EXPECT_EQ(delivered(), (Numbers{2, 9, 100}));
  EXPECT_EQ(sink.released.size(), 3u);
  EXPECT_EQ(budget.held, 0u);
  EXPECT_FALSE(reassembler.has_gap());
}

TEST_F(ReassemblerTest, FlushCountsTheOpenBlock) {
  accept(0, Plaintext(0).header(1, 30).zeros(10));
  reassembler.flush(sink);
  EXPECT_EQ(sink.count(incomplete), 1);
  reassembler.flush(sink);
  EXPECT_EQ(sink.count(incomplete), 1);
}

TEST_F(ReassemblerTest, BlockIsPutTogetherFromFramesThatCameBackwards) {
  const Buffer packet = pattern(30);
  const Bytes whole{packet};
  accept(2, Plaintext(10).bytes(whole.subspan(20)));
  accept(1, Plaintext(10).bytes(whole.subspan(10, 10)));
  accept(0, Plaintext(0).header(1, 30).bytes(whole.first(10)));
  ASSERT_EQ(sink.blocks.size(), 1u);
  EXPECT_EQ(sink.blocks[0].bytes, packet);
  EXPECT_TRUE(sink.faults.empty());
}

TEST_F(ReassemblerTest, LostFrameCostsOnlyTheBlocksThatTouchedIt) {
  Buffer name(8);
  const auto numbered = [&](std::uint64_t number) {
    store_be64(name.data(), number);
    return Bytes{name};
  };
  accept(0, Plaintext(0).block(1, numbered(100)).header(1, 20).zeros(10));
  accept(2, Plaintext(3).zeros(3).block(1, numbered(200)));
  reassembler.expire(wait, sink);
  EXPECT_EQ(delivered(), (Numbers{100, 200}));
  EXPECT_EQ(sink.count(incomplete), 1);
}

TEST_F(ReassemblerTest, MovesWithWhatItHolds) {
  accept(1);
  Reassembler moved(std::move(reassembler));
  EXPECT_EQ(budget.held, 1u);
  moved.flush(sink);
  EXPECT_EQ(delivered(), Numbers{1});
  reassembler = std::move(moved);
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
