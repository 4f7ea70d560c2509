// What docs/architecture.md says a session takes.
#include <malloc.h>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kilobyte = 1000;

TEST(SessionMemory, IsWhatTheDocsSay) {
  test::TestSite site{0};
  constexpr std::uint32_t sessions = 200;
  site.install(test::make_session(1000), 1s);  // what the first one allocates for all
  const auto before = mallinfo2();
  for (std::uint32_t number = 1; number <= sessions; ++number) {
    ipc::InstallSession session = test::make_session(number);
    session.link = static_cast<std::uint16_t>(number);
    site.install(session, 1s);
    site.worker->turn(1s);
  }
  const auto after = mallinfo2();
  const std::size_t each =
      (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / sessions;
  // The buffer for packets longer than a frame is address space until there is one.
  EXPECT_LE(each, 11 * kilobyte + limits::max_block);
  EXPECT_LE(limits::max_block, 66 * kilobyte);
}

TEST(SessionMemory, AnSaHoldsBackOneWindow) {
  EXPECT_EQ(HeldFrames::window, 128u);
  EXPECT_LE(HeldFrames::window * sizeof(HeldFrame), 4096u);
}

}  // namespace
}  // namespace penstock::dataplane
