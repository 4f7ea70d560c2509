// Packets of every size across sessions that replace each other, on a wire that doubles, reorders
// and loses frames. A packet travels in one session: nothing of it is in another's frames.
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::FakePacket;
using test::make_packet;
using test::TestPair;

constexpr std::size_t longest = 9216;
constexpr Time step = 20us;

class Sites {
 public:
  Sites(std::uint32_t seed, unsigned loss_percent)
      : random_(seed), loss_percent_(loss_percent), pair_{{.plain_mtu = 9300, .hold = 60us}} {}

  void run() {
    pair_.connect(1);
    for (int round = 0; round < 300; ++round) {
      if (round % 40 == 39) rekey();
      send(between(0, 6));
      turn();
    }
    for (int round = 0; round < 400; ++round) turn();  // until all gaps were given up
    compare();
  }

 private:
  std::size_t between(std::size_t low, std::size_t high) {
    return low + random_() % (high - low + 1);
  }

  void rekey() {
    ++sessions_;
    pair_.b.install(test::mirrored(test::make_session(sessions_)), pair_.now);
    pair_.a.install(test::make_session(sessions_), pair_.now);
  }

  void send(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto packet = make_packet(between(0, 9) == 0 ? between(60, longest) : between(60, 400));
      // Outbound comes first in a turn: it is this session that carries it.
      sent_[packet] = {.session = current(), .number = numbered_++};
      pair_.a.plain.incoming.push_back({.bytes = std::move(packet)});
    }
  }
  // The number of the session that A sends on.
  std::uint64_t current() {
    for (const auto& record : pair_.a.directory->all())
      if (record->shares[0]->state() == ipc::SessionState::current) return record->shares[0]->order;
    return 0;
  }

  void turn() {
    pair_.a.worker->turn(pair_.now);
    for (FakePacket& frame : pair_.a.wire.sent) put_on_wire(std::move(frame));
    pair_.a.wire.sent.clear();
    while (!wire_.empty() && wire_.begin()->first <= pair_.now) {
      pair_.b.wire.incoming.push_back(std::move(wire_.begin()->second));
      wire_.erase(wire_.begin());
    }
    pair_.b.worker->turn(pair_.now);
    pair_.carry();  // what B sends arrives at once
    pair_.now += step;
  }
  void put_on_wire(FakePacket frame) {
    if (between(0, 99) < loss_percent_) return;
    const auto arrival = [this] { return pair_.now + static_cast<int>(between(0, 3)) * step; };
    if (between(0, 19) == 0) wire_.emplace(arrival(), frame);
    wire_.emplace(arrival(), std::move(frame));
  }

  void compare() {
    std::map<std::uint64_t, std::uint64_t> last;
    std::set<std::uint64_t> came;
    for (const FakePacket& packet : pair_.b.plain.sent) {
      const auto found = sent_.find(packet.bytes);
      ASSERT_NE(found, sent_.end()) << "a packet that nobody sent";
      const auto [session, number] = found->second;
      ASSERT_TRUE(came.insert(number).second) << "a packet twice";
      ASSERT_TRUE(!last.contains(session) || number > last[session])
          << "not in its session's order";
      last[session] = number;
    }
    EXPECT_GE(last.size(), 3u) << "sessions took over from each other";
    if (loss_percent_ == 0) {
      EXPECT_EQ(came.size(), sent_.size());
      EXPECT_EQ(pair_.b.count()[DropReason::incomplete_packet], 0u);
      EXPECT_EQ(pair_.b.count()[DropReason::late_frame], 0u);
    } else {
      EXPECT_LT(came.size(), sent_.size());
      EXPECT_GT(pair_.b.count()[DropReason::incomplete_packet], 0u);
    }
    EXPECT_EQ(pair_.b.count()[DropReason::bad_prologue], 0u);
    EXPECT_EQ(pair_.b.count()[Gauge::held_frames], 0u);
    expect_balanced(pair_);
  }

  struct Sent {
    std::uint64_t session = 0;
    std::uint64_t number = 0;
  };
  std::mt19937 random_;
  unsigned loss_percent_;
  TestPair pair_;
  std::uint32_t sessions_ = 1;
  std::uint64_t numbered_ = 0;
  std::map<std::vector<std::byte>, Sent> sent_;
  std::multimap<Time, FakePacket> wire_;
};

TEST(RekeyProperty, AWireThatLosesNothingLosesNoPacket) {
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    Sites(seed, 0).run();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(RekeyProperty, AWireThatLosesFramesInventsAndDoublesNothing) {
  for (std::uint32_t seed = 100; seed < 108; ++seed) {
    SCOPED_TRACE(seed);
    Sites(seed, 5).run();
    if (testing::Test::HasFailure()) return;
  }
}

// All that went into the old session is out before a frame with packets of the new one has left.
TEST(RekeyProperty, NoPacketIsSplitAcrossTwoSessions) {
  TestPair pair{{.plain_mtu = 9300, .hold = 1s}};
  pair.connect(1);
  std::size_t sent = 0;
  for (std::uint32_t number = 2; number < 60; ++number) {
    for (int i = 0; i < 3; ++i, ++sent)
      pair.a.plain.incoming.push_back({.bytes = make_packet(100 + number * 150)});
    pair.a.worker->turn(pair.now);
    EXPECT_NE(pair.a.outbound(*pair.session_a).open, nullptr);
    pair.connect(number);
    ASSERT_EQ(pair.b.plain.sent.size(), sent) << number;
    EXPECT_EQ(pair.a.outbound(*pair.session_a).open, nullptr);
  }
  EXPECT_EQ(pair.b.count()[DropReason::incomplete_packet], 0u);
  expect_balanced(pair);
}

}  // namespace
}  // namespace penstock::dataplane
