// What goes first on a link with a rate, and what its frames and packets show of that.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/rhythm.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using enum PacketClass;
using test::marked;
using test::Rhythm;
using test::timed_session;

constexpr unsigned ef = 46;
constexpr unsigned cs1 = 8;

class Priorities : public testing::Test {
 protected:
  void start(PriorityBy by, ShapeMode mode = ShapeMode::constant, bool copies = false) {
    ipc::InstallSession session = timed_session(1, 100, mode);
    session.shaping.priority = by;
    session.shaping.copies_dscp = copies ? 1 : 0;
    rhythm.start(session);
    rhythm.run(100ms);
    rhythm.seen.clear();
  }
  void send(std::vector<std::byte> packet, std::uint16_t tpid = 0, std::uint16_t tci = 0) {
    rhythm.pair.a.plain.incoming.push_back(
        {.bytes = std::move(packet), .vlan_tpid = tpid, .vlan_tci = tci});
  }
  std::uint64_t went(PacketClass of) { return rhythm.lane().queues.figures(of).packets; }
  unsigned traffic_class(std::size_t frame) { return load_u8(&rhythm.seen.at(frame).packet[15]); }

  Rhythm rhythm;
};

TEST_F(Priorities, AreByDscp) {
  start(PriorityBy::dscp);
  send(marked(60, ef));
  send(marked(60, cs1));
  send(marked(60, 0), ethertype_vlan, 5 << 13);
  send(marked(60, ef), ethertype_vlan, 1 << 13);  // its tag says nothing
  rhythm.run(100ms);
  EXPECT_EQ(went(voice), 2u);
  EXPECT_EQ(went(bulk), 1u);
  EXPECT_EQ(went(normal), 1u);
}

TEST_F(Priorities, AreByVlanPriorityWhereverTheTagIs) {
  start(PriorityBy::vlan);
  send(marked(60, 0), ethertype_vlan, 5 << 13);  // the port took it out
  auto inside = marked(60, ef);
  store_be16(&inside[12], ethertype_vlan);
  store_be16(&inside[14], 1 << 13);
  send(inside);
  send(marked(60, ef));
  rhythm.run(100ms);
  EXPECT_EQ(went(voice), 1u);
  EXPECT_EQ(went(bulk), 1u);
  EXPECT_EQ(went(normal), 1u);
}

TEST_F(Priorities, AreNoneWhereNoneAreWanted) {
  start(PriorityBy::none);
  send(marked(60, ef), ethertype_vlan, 5 << 13);
  rhythm.run(100ms);
  EXPECT_EQ(went(normal), 1u);
}

TEST_F(Priorities, VoiceOvertakes) {
  start(PriorityBy::dscp);
  for (int i = 0; i < 20; ++i) send(marked(1400, cs1));
  rhythm.run(Rhythm::step);
  const auto call = marked(100, ef);
  send(call);
  rhythm.run(40ms);  // some four frames
  const auto& delivered = rhythm.pair.b.plain.sent;
  EXPECT_LT(delivered.size(), 8u);
  EXPECT_EQ(std::ranges::count(delivered, call, &test::FakePacket::bytes), 1);
}

TEST_F(Priorities, NothingOfThemShowsInARhythm) {
  start(PriorityBy::dscp, ShapeMode::constant, true);
  for (const unsigned dscp : {ef, cs1, 10u}) send(marked(60, dscp, 3));
  rhythm.run(100ms);
  ASSERT_GE(rhythm.seen.size(), 9u);
  for (std::size_t i = 0; i < rhythm.seen.size(); ++i) EXPECT_EQ(traffic_class(i), 0u);
}

TEST_F(Priorities, UnderACapAFrameMayCopyADscp) {
  start(PriorityBy::dscp, ShapeMode::burst, true);
  send(marked(60, ef, 3));
  rhythm.run(100ms);
  send(marked(60, cs1, 3));
  rhythm.run(100ms);
  ASSERT_EQ(rhythm.seen.size(), 2u);
  EXPECT_EQ(traffic_class(0), ef << 2);
  EXPECT_EQ(traffic_class(1), cs1 << 2);
}

TEST_F(Priorities, MarksReachTheFarHost) {
  start(PriorityBy::dscp);
  for (int i = 0; i < 300; ++i) {  // twice what the link carries
    send(marked(1400, 0, 2));
    send(marked(1400, 0, 2));
    rhythm.run(10ms);
  }
  const auto is_marked = [](const test::FakePacket& packet) {
    return packet.bytes[15] == std::byte{3};
  };
  const auto arrived = std::ranges::count_if(rhythm.pair.b.plain.sent, is_marked);
  const auto marks = rhythm.pair.a.count()[Counter::ce_marked];
  EXPECT_GT(marks, 5u);
  EXPECT_LE(marks - static_cast<std::uint64_t>(arrived), 2u);  // still under way
  EXPECT_EQ(rhythm.pair.a.count()[DropReason::queue_aqm], 0u);
  EXPECT_EQ(rhythm.lane().queues.figures(normal).marked, marks);
}

}  // namespace
}  // namespace penstock::dataplane
