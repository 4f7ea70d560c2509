// The main core's part in path probes: two probers with a path between them.
#include "dataplane/probing/prober.hpp"

#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane::probing {
namespace {

using namespace std::chrono_literals;
using Packet = std::vector<std::byte>;

struct Sink : ProbeSink {
  void send_probe(const Endpoint& to, Bytes packet) override {
    went_to = to;
    sent.emplace_back(packet.begin(), packet.end());
  }
  void path_found(SessionRecord& record, std::uint16_t frame_size) override {
    found.push_back(frame_size);
    of = record.info.session_id;
  }
  Endpoint went_to;
  std::deque<Packet> sent;
  std::vector<std::uint16_t> found;
  ipc::SessionId of{};
};

struct End {
  explicit End(int index) : site(index) {}
  test::TestSite site;
  Sink sink;
  Prober prober{9000, [] { return std::uint64_t{1}; }, *site.directory, sink};
};

ipc::InstallSession with_probes(std::uint32_t number, bool finds_mtu = true) {
  ipc::InstallSession session = test::make_session(number);
  session.probe_out.encrypt.fill(static_cast<std::byte>(number));
  session.probe_out.mac.fill(std::byte{2});
  session.probe_in.encrypt.fill(static_cast<std::byte>(number + 1));
  session.probe_in.mac.fill(std::byte{4});
  session.shaping.finds_mtu = finds_mtu ? 1 : 0;
  return session;
}

class ProberTest : public testing::Test {
 protected:
  void connect(std::uint32_t number = 1) {
    const ipc::InstallSession session = with_probes(number);
    ipc::InstallSession other = test::mirrored(session);
    other.shaping.finds_mtu = 0;
    record_a = &a.site.install(session, now);
    record_b = &b.site.install(other, now);
    a.prober.confirmed(*record_a, now);
    b.prober.confirmed(*record_b, now);
  }
  void carry(End& from, End& to) {
    while (!from.sink.sent.empty()) {
      const Packet packet = std::move(from.sink.sent.front());
      from.sink.sent.pop_front();
      if (packet.size() <= carries) to.prober.on_packet(packet, now);
    }
  }
  void run(Time length) {
    for (const Time end = now + length; now < end; now += 50ms) {
      if (now >= a.prober.deadline()) a.prober.on_timer(now);
      if (now >= b.prober.deadline()) b.prober.on_timer(now);
      carry(a, b);
      carry(b, a);
    }
  }
  // The next probe that A sends.
  Packet probe() {
    while (a.sink.sent.empty()) {
      now += 50ms;
      a.prober.on_timer(now);
    }
    Packet packet = a.sink.sent.front();
    a.sink.sent.clear();
    return packet;
  }

  Time now = 1000s;
  End a{0};
  End b{1};
  SessionRecord* record_a = nullptr;
  SessionRecord* record_b = nullptr;
  std::size_t carries = 1452;
};

TEST_F(ProberTest, FindsWhatThePathCarriesAndSaysSo) {
  connect();
  run(90s);
  ASSERT_FALSE(a.sink.found.empty());
  EXPECT_EQ(a.sink.found.back(), 1452);
  EXPECT_EQ(a.sink.of, record_a->info.session_id);
  EXPECT_EQ(a.sink.went_to, a.site.peer);
  EXPECT_TRUE(b.sink.found.empty()) << "B answers, and asks nothing";
  EXPECT_EQ(b.prober.deadline(), Time::max());
  ipc::LinkStats stats;
  ASSERT_TRUE(a.prober.fill(0, stats));
  EXPECT_EQ(stats.path_frame, 1452);
  EXPECT_GT(stats.probes_answered, 2u);
  EXPECT_GT(stats.probes_sent, stats.probes_answered);
  EXPECT_FALSE(b.prober.fill(0, stats));
  EXPECT_EQ(a.prober.bad() + b.prober.bad(), 0u);
}

TEST_F(ProberTest, AnAnswerIsNeverLargerThanItsProbe) {
  connect();
  b.prober.on_packet(probe(), now);
  ASSERT_EQ(b.sink.sent.size(), 1u);
  EXPECT_EQ(b.sink.sent[0].size(), 256u);
  EXPECT_EQ(b.sink.went_to, b.site.peer);
}

TEST_F(ProberTest, KeepsWhatItKnowsThroughARekey) {
  connect(1);
  run(90s);
  a.sink.found.clear();
  connect(2);
  run(1s);
  EXPECT_EQ(a.sink.found, std::vector<std::uint16_t>{1452}) << "confirmed under the new keys";
  EXPECT_EQ(a.sink.of, record_a->info.session_id);
}

TEST_F(ProberTest, AnotherFarSideUnderTheSameNumberIsAnotherPath) {
  connect(1);
  run(90s);
  ipc::InstallSession other = with_probes(2);
  other.peer_name[0] = 'x';
  a.prober.confirmed(a.site.install(other, now), now);
  ipc::LinkStats stats;
  ASSERT_TRUE(a.prober.fill(0, stats));
  EXPECT_EQ(stats.path_frame, 0);
}

TEST_F(ProberTest, WhatIsForgedReplayedOrCutIsCountedAndChangesNothing) {
  connect();
  const Packet good = probe();
  std::uint64_t bad = 0;
  const auto refused = [&](const Packet& packet) {
    b.prober.on_packet(packet, now);
    EXPECT_EQ(b.prober.bad(), ++bad);
    EXPECT_TRUE(b.sink.sent.empty());
  };
  for (const std::size_t at : {0u, 1u, 2u, 4u, 7u, 8u, 15u, 16u, 100u}) {
    Packet packet = good;
    packet[at] ^= std::byte{1};
    refused(packet);
  }
  refused({good.begin(), good.end() - 1});
  refused({good.begin(), good.begin() + 255});
  refused({});
  refused(Packet(9001));
  b.prober.on_packet(good, now);
  EXPECT_EQ(b.sink.sent.size(), 1u) << "none of it used the number up";
  b.sink.sent.clear();
  refused(good);
}

TEST_F(ProberTest, ASessionWithoutKeysForThemHasNone) {
  SessionRecord& record = a.site.install(test::make_session(5), now);
  EXPECT_EQ(record.probes, nullptr);
  a.prober.confirmed(record, now);
  EXPECT_EQ(a.prober.deadline(), Time::max());
}

TEST_F(ProberTest, ASessionThatIsGoneIsNotProbedThrough) {
  connect();
  record_a->probes.reset();
  a.prober.on_timer(now);
  EXPECT_TRUE(a.sink.sent.empty());
  EXPECT_EQ(a.prober.deadline(), Time::max());
}

}  // namespace
}  // namespace penstock::dataplane::probing
