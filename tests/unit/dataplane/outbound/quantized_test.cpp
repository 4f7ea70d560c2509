// A link whose rate moves between steps: how fast its frames leave follows what waits, where a
// dwell ends and nowhere else.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/rhythm.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::Rhythm;
using test::timed_session;

class Quantized : public testing::Test {
 protected:
  Quantized() {
    ipc::InstallSession session = timed_session(1, 100, ShapeMode::quantized);
    session.shaping.rates[1] = 1'000'000;
    session.shaping.steps = 2;
    session.shaping.dwell_ns = static_cast<std::uint64_t>(dwell.count());
    rhythm.start(session);
    rhythm.seen.clear();
  }
  void run_busy(Time time) {
    for (const Time end = rhythm.pair.now + time; rhythm.pair.now < end; rhythm.run(5ms))
      rhythm.send(1400);  // twice what the lower step carries
  }
  // Of the frames that were seen, the intervals that are not those of a step.
  std::size_t uneven() const {
    std::size_t count = 0;
    for (std::size_t i = 1; i < rhythm.seen.size(); ++i) {
      const Time gap = rhythm.seen[i].at - rhythm.seen[i - 1].at;
      if (gap != Time{1ms} && gap != Time{10ms}) ++count;
    }
    return count;
  }

  static constexpr Time dwell = 800ms;
  Rhythm rhythm;
};

TEST_F(Quantized, GoesUpWithTheTrafficAndDownAgain) {
  run_busy(2 * dwell);
  EXPECT_EQ(rhythm.lane().rate.step(), 1u);
  EXPECT_EQ(rhythm.lane().pacer.rate(), 1'000'000u);
  run_busy(2 * dwell);
  EXPECT_EQ(rhythm.lane().rate.step(), 1u);
  rhythm.run(3 * dwell);
  EXPECT_EQ(rhythm.lane().rate.step(), 0u);
  EXPECT_EQ(rhythm.lane().pacer.rate(), 100'000u);
  rhythm.run(1s);
  EXPECT_LE(uneven(), 2u) << "one at each change of the step";
  test::expect_balanced(rhythm.pair);
}

TEST_F(Quantized, StaysWhereItIsWithoutTraffic) {
  rhythm.run(4 * dwell);
  EXPECT_EQ(rhythm.lane().rate.step(), 0u);
  EXPECT_EQ(uneven(), 0u);
}

}  // namespace
}  // namespace penstock::dataplane
