// When a gap is given_ up: by number, by time, by budget.
#include "reassembler_fixture.hpp"

namespace penstock {
namespace {

using namespace test;
using enum ReassemblyFault;

// --- giving up by number ------------------------------------------------------------------

TEST_F(ReassemblerTest, GapAtTheStartIsAGapLikeAnyOther) {
  accept_range(1, window - 1);
  EXPECT_TRUE(delivered().empty());
  accept(window);  // the last of `window` later frames_
  EXPECT_EQ(delivered(), range(1, window));
  EXPECT_EQ(budget_.held, 0u);
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
  EXPECT_TRUE(reassembler_.has_gap());
  accept(50);
  EXPECT_EQ(delivered(), range(50, window));
}

TEST_F(ReassemblerTest, LateFrameIsCountedAndReleasedAtOnce) {
  accept_range(1, window);
  accept(0);
  EXPECT_EQ(sink_.count(late_frame), 1);
  EXPECT_EQ(sink_.released.back(), &frames_.back());
  EXPECT_EQ(delivered(), range(1, window));
  accept(window);
  EXPECT_EQ(sink_.count(late_frame), 2);
}

TEST_F(ReassemblerTest, SecondCopyOfAHeldFrameIsLate) {
  accept(5);
  accept(5);
  EXPECT_EQ(sink_.count(late_frame), 1);
  EXPECT_EQ(sink_.released, (std::vector<void*>{&frames_.back()}));
  EXPECT_EQ(budget_.held, 1u);
}

TEST_F(ReassemblerTest, JumpWaitsForTheFramesJustBeforeIt) {
  for (const std::uint64_t base : {window + 5, 4 * window, 100 * window, std::uint64_t{1} << 50}) {
    SCOPED_TRACE(base);
    accept(base);
    EXPECT_TRUE(delivered().empty());
    EXPECT_TRUE(reassembler_.has_gap());
    accept_range(base - window + 1, base - 1);
    EXPECT_EQ(delivered(), range(base - window + 1, base));
    accept(base - window);
    EXPECT_EQ(sink_.faults.back(), late_frame);
  }
}

TEST_F(ReassemblerTest, JumpDeliversWhatWasHeldBelow) {
  accept(3);
  accept(7);
  accept(1'000'000);
  EXPECT_EQ(delivered(), (Numbers{3, 7}));
  EXPECT_EQ(budget_.held, 1u);
}

TEST_F(ReassemblerTest, JumpKeepsWhatIsHeldWithinTheNewWindow) {
  accept(3);
  accept(100);
  accept(100 + window - 1);  // the new window begins at 100
  EXPECT_EQ(delivered(), (Numbers{3, 100}));
  EXPECT_EQ(budget_.held, 1u);
}

TEST_F(ReassemblerTest, EndOfTheNumbersDoesNotWrap) {
  constexpr std::uint64_t end = last_sequence.value;
  accept(end - 1);
  accept(end);
  EXPECT_EQ(sink_.count(late_frame), 1);
  accept_range(end - window, end - 2);
  EXPECT_EQ(delivered(), range(end - window, end - 1));
  EXPECT_FALSE(reassembler_.has_gap());
  accept(end);
  accept(0);
  accept(end - 1);
  EXPECT_EQ(sink_.count(late_frame), 4);
  EXPECT_TRUE(delivered().empty());
}

TEST_F(ReassemblerTest, EndOfTheNumbersExpiresAndFlushes) {
  constexpr std::uint64_t end = last_sequence.value;
  accept(end - 3);
  accept(end - 1);
  reassembler_.expire(wait, sink_);
  EXPECT_EQ(delivered(), (Numbers{end - 3, end - 1}));
  EXPECT_FALSE(reassembler_.has_gap());
}

// --- giving up by time --------------------------------------------------------------------

TEST_F(ReassemblerTest, GapIsGivenUpAtItsDeadlineNotBefore) {
  accept(1, 50);
  ASSERT_TRUE(reassembler_.has_gap());
  EXPECT_EQ(reassembler_.deadline(), 50 + wait);
  reassembler_.expire(49 + wait, sink_);
  EXPECT_TRUE(delivered().empty());
  reassembler_.expire(50 + wait, sink_);
  EXPECT_EQ(delivered(), Numbers{1});
  EXPECT_FALSE(reassembler_.has_gap());
}

TEST_F(ReassemblerTest, ExpireWithoutAGapDoesNothing) {
  accept(0);
  reassembler_.expire(1'000'000, sink_);
  accept(1);
  EXPECT_EQ(delivered(), (Numbers{0, 1}));
  EXPECT_TRUE(sink_.faults.empty());
}

TEST_F(ReassemblerTest, LaterFramesDoNotPutTheDeadlineOff) {
  accept(1, 50);
  accept(2, 60);
  accept(90, 500);
  EXPECT_EQ(reassembler_.deadline(), 50 + wait);
}

TEST_F(ReassemblerTest, NextGapHasItsOwnDeadline) {
  accept(1, 50);
  accept(3, 80);
  reassembler_.expire(50 + wait, sink_);
  EXPECT_EQ(delivered(), Numbers{1});
  ASSERT_TRUE(reassembler_.has_gap());
  EXPECT_EQ(reassembler_.deadline(), 80 + wait);
  reassembler_.expire(80 + wait, sink_);
  EXPECT_EQ(delivered(), Numbers{3});
}

TEST_F(ReassemblerTest, GapIsSeenByTheFirstFrameBehindItNotTheNearest) {
  accept(9, 10);  // this one shows that 3 is missing
  accept(4, 70);  // not this one
  accept_range(0, 2, 80);
  EXPECT_EQ(delivered(), range(0, 2));
  EXPECT_EQ(reassembler_.deadline(), 10 + wait);
}

TEST_F(ReassemblerTest, OneExpireGivesUpEveryGapThatIsDue) {
  accept(1, 10);
  accept(3, 30);
  accept(5, 20);  // makes the gap before 3 due as well
  accept(7, 40);
  reassembler_.expire(20 + wait, sink_);
  EXPECT_EQ(delivered(), (Numbers{1, 3, 5}));
  EXPECT_EQ(reassembler_.deadline(), 40 + wait);
}

TEST_F(ReassemblerTest, FilledGapLeavesTheNextItsOwnDeadline) {
  accept(1, 10);
  accept(3, 60);
  accept(0, 70);
  EXPECT_EQ(delivered(), range(0, 1));
  EXPECT_EQ(reassembler_.deadline(), 60 + wait);
}

TEST_F(ReassemblerTest, FilledGapHasNoDeadline) {
  accept(1, 50);
  accept(0, 60);
  accept(3, 70);
  EXPECT_EQ(reassembler_.deadline(), 70 + wait);
}

// --- giving up by budget_ ------------------------------------------------------------------

TEST_F(ReassemblerTest, SpentBudgetGivesUpTheOldestGap) {
  budget_.limit = 2;
  accept(1);
  accept(3);
  accept(5);
  EXPECT_EQ(delivered(), Numbers{1});
  EXPECT_EQ(budget_.held, 2u);
  accept(7);
  EXPECT_EQ(delivered(), Numbers{3});
  EXPECT_EQ(budget_.held, 2u);
}

TEST_F(ReassemblerTest, BudgetSpentByOthersLetsNothingBeHeld) {
  budget_.limit = 4;
  budget_.held = 4;
  accept(5);
  EXPECT_EQ(delivered(), Numbers{5});
  EXPECT_FALSE(reassembler_.has_gap());
  accept(3);
  EXPECT_EQ(sink_.count(late_frame), 1);
  accept(6);
  EXPECT_EQ(delivered(), Numbers{6});
  budget_.held = 0;
}

TEST_F(ReassemblerTest, WithoutABudgetNothingIsEverHeld) {
  budget_.limit = 0;
  accept(1);
  accept(0);
  accept(1000);
  EXPECT_EQ(delivered(), (Numbers{1, 1000}));
  EXPECT_EQ(sink_.count(late_frame), 1);
}

TEST_F(ReassemblerTest, SpentBudgetStillFillsTheGap) {
  budget_.limit = 2;
  accept(1);
  accept(2);
  accept(0);
  EXPECT_EQ(delivered(), range(0, 2));
}

TEST_F(ReassemblerTest, SpentBudgetDeliversAFrameThatNoLongerHasAGapBefore) {
  budget_.limit = 1;
  accept(1);
  accept(2);  // giving up 0 delivers 1, and then 2 is next
  EXPECT_EQ(delivered(), (Numbers{1, 2}));
  EXPECT_FALSE(reassembler_.has_gap());
}

}  // namespace
}  // namespace penstock
