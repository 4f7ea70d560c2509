// A worker whose time goes on while it works: what is due is not kept waiting by what is not.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/rhythm.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::Rhythm;
using test::timed_session;

// Within a turn each look at the clock takes a while.
const Time* began = nullptr;
Time a_look{};
Time looked{};
Time look() {
  looked += a_look;
  return *began + looked;
}

class Late : public testing::Test {
 protected:
  Late() {
    began = &rhythm.pair.now;
    a_look = looked = {};
  }
  void turn(Time look_takes) {
    a_look = look_takes;
    rhythm.pair.a.worker->turn(rhythm.pair.now);
    rhythm.pair.now += looked;
    a_look = looked = {};
  }
  std::uint64_t missed() { return rhythm.lane().pacer.stats().missed; }

  Rhythm rhythm{{.clock = look}};
};

TEST_F(Late, ATickThatComesWhilePacketsAreCopiedDoesNotWaitForTheRest) {
  rhythm.start(timed_session());
  for (std::size_t i = 0; i < outbound::burst; ++i) rhythm.send(1400);
  const std::uint64_t before = missed();
  turn(100us);  // a packet: 6 ms for all
  EXPECT_GE(rhythm.pair.a.wire.sent.size(), 6u);
  EXPECT_EQ(missed(), before);
}

TEST_F(Late, ATickThatComesWhileFramesOfAnotherLinkAreSealedDoesNotWaitForTheRest) {
  rhythm.start(timed_session());
  ipc::InstallSession other = test::make_session(2);
  other.link = 1;
  other.vlan = 7;
  rhythm.pair.connect(other);
  for (std::size_t i = 0; i < outbound::burst; ++i)
    rhythm.pair.a.plain.incoming.push_back(
        {.bytes = test::make_packet(9000), .vlan_tpid = 0x8100, .vlan_tci = 7});
  const std::uint64_t before = missed();
  turn(400us);
  EXPECT_EQ(missed(), before);
  test::expect_balanced(rhythm.pair);
}

TEST_F(Late, ALinkThatHasAlwaysSomethingToSendHearsToo) {
  rhythm.start(timed_session(1, 1'000'000, ShapeMode::burst));
  for (int i = 0; i < 20; ++i) {
    for (std::size_t packet = 0; packet < outbound::burst; ++packet) rhythm.send(1400);
    rhythm.pair.a.wire.incoming.push_back({.bytes = std::vector<std::byte>(60)});
    turn(1us);
  }
  EXPECT_LT(rhythm.pair.a.wire.incoming.size(), 2u);
}

}  // namespace
}  // namespace penstock::dataplane
