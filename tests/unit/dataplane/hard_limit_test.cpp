// An SA at its hard limit, end to end: whatever asks for a frame, no number is used twice, and
// nothing more leaves until there is another session.
#include <set>

#include <gtest/gtest.h>

#include "penstock/wire/frame.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t hard_frames = 10;
constexpr std::size_t outer_header = ethernet_header + ipv4_header + udp_header;

class HardLimit : public testing::Test {
 protected:
  HardLimit() {
    pair.connect();
    OutboundSa& sa = pair.a.outbound(*pair.session_a);
    sealed_before = sa.keys.next().value;
    sa.keys.lower_limits(hard_frames, hard_frames);
  }
  // A turn of A's; the numbers of the frames that it sent are kept, the frames go to B.
  void turn() {
    pair.a.worker->turn(pair.now);
    for (const FakePacket& packet : pair.a.wire.sent) {
      const auto header = read_frame_header(Bytes{packet.bytes}.subspan(outer_header));
      ASSERT_TRUE(header);
      EXPECT_TRUE(numbers.insert(header->sequence.value).second) << "used twice";
    }
    pair.carry();
    pair.b.worker->turn(pair.now);
    pair.carry();
  }

  TestPair pair;
  std::uint64_t sealed_before = 0;
  std::set<std::uint64_t> numbers;
};

TEST_F(HardLimit, PacketsControlBlocksAndKeepalivesStopThere) {
  for (int i = 0; i < 40; ++i) {
    pair.a.plain.incoming.push_back({.bytes = make_packet(1400)});
    if (i % 4 == 0) pair.a.send_control(*pair.session_a, bytes_of({9, 9, 9}));
    pair.now += 1s;  // keepalives are due now and then
    turn();
  }
  EXPECT_EQ(numbers.size(), hard_frames - sealed_before);
  EXPECT_LT(*numbers.rbegin(), hard_frames);
  EXPECT_EQ(pair.a.outbound(*pair.session_a).keys.next().value, hard_frames);
  EXPECT_GT(pair.a.count()[DropReason::seal_limit], 0u);
  EXPECT_EQ(pair.b.count()[DropReason::replayed], 0u);
  expect_balanced(pair);
}

TEST_F(HardLimit, TheNextSessionGoesOn) {
  for (int i = 0; i < 20; ++i) pair.a.plain.incoming.push_back({.bytes = make_packet(1400)});
  pair.run();
  const std::size_t delivered = pair.b.plain.sent.size();
  pair.connect(2);
  for (int i = 0; i < 20; ++i) pair.a.plain.incoming.push_back({.bytes = make_packet(1400)});
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), delivered + 20);
}

}  // namespace
}  // namespace penstock::dataplane::test
