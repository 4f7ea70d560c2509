// What a worker sees of a far side that moves, and where it sends what the main core wants sent.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/forger.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::Forger;
using test::make_packet;
using test::TestPair;
using test::TestSite;

using Block = Forger::Block;
using Nonce = std::array<std::byte, challenge_nonce>;

ipc::InstallSession roaming_session(std::uint32_t number = 1) {
  ipc::InstallSession session = test::make_session(number);
  session.roams = 1;
  session.lanes_in = 2;
  return session;
}

Nonce nonce_of(int fill) {
  Nonce nonce;
  nonce.fill(static_cast<std::byte>(fill));
  return nonce;
}

Block control(ControlType type, Bytes said) {
  Block block{.kind = BlockKind::control, .bytes = {static_cast<std::byte>(type)}};
  block.bytes.insert(block.bytes.end(), said.begin(), said.end());
  return block;
}

// How frames come: over which IP, and in buffers of the port's own or for us to copy.
struct Wire {
  IpVersion version;
  bool is_device;
};

class FollowTest : public testing::TestWithParam<Wire> {
 protected:
  FollowTest() {
    if (GetParam().is_device) site.wire.mbufs = site.frames.get();
    site.install(session, now);
    site.worker->turn(now);
    hear(0, site.peer);  // which confirms it
  }
  // A frame that holds these blocks arrives from there.
  void hear(std::uint64_t sequence, const Endpoint& from, const std::vector<Block>& blocks = {}) {
    forger.send(forger.frame(sequence, blocks), from);
    site.worker->turn(now);
  }
  std::vector<Trace> traces() {
    std::vector<Trace> all;
    while (const auto trace = site.mailbox.traces.pop()) all.push_back(*trace);
    return all;
  }
  void expect_nothing_seen() { EXPECT_TRUE(traces().empty()); }

  Time now = 1000s;
  TestSite site{0, {.version = GetParam().version}};
  ipc::InstallSession session = roaming_session();
  Forger forger{site, session};
  Endpoint elsewhere{
      .address = *parse_ip(GetParam().version == IpVersion::v4 ? "192.0.2.77" : "2001:db8::77"),
      .port = 4321};
};

INSTANTIATE_TEST_SUITE_P(DataPlane, FollowTest,
                         testing::Values(Wire{IpVersion::v4, false}, Wire{IpVersion::v4, true},
                                         Wire{IpVersion::v6, false}, Wire{IpVersion::v6, true}),
                         [](const auto& test) {
                           const bool is_v4 = test.param.version == IpVersion::v4;
                           return std::string{is_v4 ? "IPv4" : "IPv6"} +
                                  (test.param.is_device ? "Device" : "Socket");
                         });

TEST_P(FollowTest, TheNewestFrameFromElsewhereIsSeen) {
  expect_nothing_seen();
  hear(1, elsewhere);
  const auto seen = traces();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].kind, Trace::Kind::sighting);
  EXPECT_EQ(seen[0].spi.value, session.local_spi_base);
  EXPECT_EQ(seen[0].from, elsewhere);
  EXPECT_EQ(seen[0].frames, 1u);
  // And nothing has changed.
  EXPECT_EQ(site.directory->all()[0]->shares[0]->route.destination, site.peer);
}

TEST_P(FollowTest, OnlyThePortMayHaveChanged) {
  Endpoint mapped = site.peer;
  mapped.port = 50000;
  hear(1, mapped);
  const auto seen = traces();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].from, mapped);
}

TEST_P(FollowTest, TheFrameThatConfirmsASessionMayBeOne) {
  const ipc::InstallSession next = roaming_session(2);
  site.install(next, now);
  site.worker->turn(now);
  Forger of_next{site, next};
  of_next.send(of_next.frame(0, {}), elsewhere);
  site.worker->turn(now);
  const auto seen = traces();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].spi.value, next.local_spi_base);
  EXPECT_EQ(seen[0].from, elsewhere);
}

TEST_P(FollowTest, FramesFromWhereItIsAreNoNews) {
  for (std::uint64_t sequence = 1; sequence < 20; ++sequence, now += 1s) hear(sequence, site.peer);
  expect_nothing_seen();
}

TEST_P(FollowTest, ManyFramesAreOneSightingThatCountsThem) {
  for (std::uint64_t sequence = 1; sequence <= 50; ++sequence) hear(sequence, elsewhere);
  EXPECT_EQ(traces().size(), 1u);
  now += 1s;
  hear(51, elsewhere);
  const auto seen = traces();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].frames, 50u);
}

TEST_P(FollowTest, AnotherAddressIsCountedAnew) {
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) hear(sequence, elsewhere);
  static_cast<void>(traces());
  now += 1s;
  Endpoint third = elsewhere;
  third.port = 1;
  hear(6, third);
  const auto seen = traces();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].from, third);
  EXPECT_EQ(seen[0].frames, 1u);
}

TEST_P(FollowTest, AnOlderFrameProposesNothing) {
  hear(10, site.peer);
  hear(9, elsewhere);
  EXPECT_EQ(site.count()[Counter::frames_opened], 3u);
  expect_nothing_seen();
}

TEST_P(FollowTest, AReplayedFrameProposesNothing) {
  hear(1, site.peer);
  hear(1, elsewhere);
  EXPECT_EQ(site.count()[DropReason::replayed], 1u);
  expect_nothing_seen();
}

TEST_P(FollowTest, OfTwoCopiesInOneBurstTheFirstCounts) {
  forger.send(forger.frame(1, {}), site.peer);
  forger.send(forger.frame(1, {}), elsewhere);
  site.worker->turn(now);
  EXPECT_EQ(site.count()[DropReason::replayed], 1u);
  expect_nothing_seen();
}

TEST_P(FollowTest, AForgedFrameProposesNothing) {
  auto frame = forger.frame(1, {});
  frame.back() ^= std::byte{1};
  forger.send(frame, elsewhere);
  site.worker->turn(now);
  EXPECT_EQ(site.count()[DropReason::bad_tag], 1u);
  expect_nothing_seen();
}

TEST_P(FollowTest, OtherLanesProposeNothing) {
  ipc::InstallSession lane = session;
  ++lane.local_spi_base;
  Forger other{site, lane};
  other.send(other.frame(7, {}), elsewhere);
  site.worker->turn(now);
  EXPECT_EQ(site.count()[Counter::frames_opened], 2u);
  expect_nothing_seen();
}

TEST_P(FollowTest, ASessionThatDoesNotRoamProposesNothing) {
  ipc::InstallSession fixed = test::make_session(2);
  site.install(fixed, now);
  site.worker->turn(now);
  Forger speaker{site, fixed};
  for (std::uint64_t sequence = 0; sequence < 3; ++sequence) {
    speaker.send(speaker.frame(sequence, {}), elsewhere);
    site.worker->turn(now);
  }
  EXPECT_EQ(site.count()[Counter::frames_opened], 4u);
  expect_nothing_seen();
}

TEST_P(FollowTest, ASessionThatWasReplacedProposesNothing) {
  ipc::InstallSession next = test::make_session(2);
  site.install(next, now);
  site.worker->turn(now);
  Forger successor{site, next};
  successor.send(successor.frame(0, {}), site.peer);
  site.worker->turn(now);
  hear(1, elsewhere);
  EXPECT_EQ(site.count()[Counter::frames_opened], 3u);
  expect_nothing_seen();
}

TEST_P(FollowTest, AResponseSaysWhereItCameFrom) {
  hear(1, site.peer, {control(ControlType::response, nonce_of(5))});
  hear(2, elsewhere, {control(ControlType::response, nonce_of(6))});
  const auto seen = traces();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].kind, Trace::Kind::response);
  EXPECT_EQ(seen[0].from, site.peer);
  EXPECT_EQ(seen[0].nonce, nonce_of(5));
  EXPECT_EQ(seen[1].kind, Trace::Kind::sighting);
  EXPECT_EQ(seen[2].from, elsewhere);
  EXPECT_EQ(seen[2].nonce, nonce_of(6));
}

// The frame that lets it out of reassembly came from somewhere else than the one it stood in.
TEST_P(FollowTest, AlsoWhereItsFrameWasHeldBack) {
  hear(2, elsewhere, {control(ControlType::response, nonce_of(6))});
  static_cast<void>(traces());
  hear(1, site.peer);
  const auto seen = traces();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].kind, Trace::Kind::response);
  EXPECT_EQ(seen[0].from, elsewhere);
}

TEST_P(FollowTest, AChallengeIsPassedUp) {
  hear(1, site.peer, {control(ControlType::challenge, nonce_of(9))});
  const auto seen = traces();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].kind, Trace::Kind::challenge);
  EXPECT_EQ(seen[0].nonce, nonce_of(9));
}

TEST_P(FollowTest, ChallengesOfOtherLengthsAreDropped) {
  const Nonce nonce = nonce_of(1);
  std::vector<std::byte> longer(nonce.begin(), nonce.end());
  longer.emplace_back();
  std::uint64_t sequence = 1;
  for (const ControlType type : {ControlType::challenge, ControlType::response})
    for (const Bytes said : {Bytes{nonce}.first(0), Bytes{nonce}.first(15), Bytes{longer}})
      hear(sequence++, site.peer, {control(type, said)});
  EXPECT_EQ(site.count()[DropReason::bad_control], 6u);
  expect_nothing_seen();
}

TEST_P(FollowTest, ChallengesDoNotDrownTheMainCore) {
  for (std::uint64_t sequence = 1; sequence <= 100; ++sequence)
    hear(sequence, site.peer, {control(ControlType::challenge, nonce_of(1))});
  EXPECT_EQ(traces().size(), 8u);
  EXPECT_EQ(site.count()[DropReason::control_full], 92u);
}

// --- what the main core wants --------------------------------------------------------------

class MoveTest : public testing::Test {
 protected:
  static Endpoint destination_of(const test::FakePacket& packet) {
    return parse_udp(Bytes{packet.bytes})->destination;
  }
  static Bytes mac_of(const test::FakePacket& packet) { return Bytes{packet.bytes}.first(6); }
  // From a's plain port, and as a whole frame.
  void send_packet() {
    pair.a.plain.incoming.push_back({.bytes = make_packet(60)});
    pair.a.worker->turn(pair.now);
  }
  void command(Command::Kind kind, rte_mbuf* packet = nullptr) {
    pair.a.command({.kind = kind,
                    .mac = new_mac,
                    .address = elsewhere.address,
                    .peer = elsewhere,
                    .session = pair.session_a->shares[0].get(),
                    .packet = packet});
  }
  void challenge() {
    rte_mbuf* buffer = rte_pktmbuf_alloc(pair.a.punt_pool.get());
    const Block block = control(ControlType::challenge, nonce_of(3));
    std::memcpy(rte_pktmbuf_append(buffer, static_cast<std::uint16_t>(block.bytes.size())),
                block.bytes.data(), block.bytes.size());
    command(Command::Kind::challenge, buffer);
  }

  TestPair pair{{.hold = 1s}};
  Endpoint elsewhere{.address = *parse_ip("192.0.2.77"), .port = 4321};
  MacAddress new_mac{{std::byte{2}, std::byte{7}}};
};

TEST_F(MoveTest, AChallengeGoesAloneAndNothingElseGoesThere) {
  pair.connect(roaming_session());
  send_packet();  // stays in the open frame
  ASSERT_TRUE(pair.a.wire.sent.empty());
  challenge();
  pair.a.worker->turn(pair.now);
  send_packet();
  pair.now += 2s;
  pair.a.worker->turn(pair.now);
  const auto& sent = pair.a.wire.sent;
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(destination_of(sent[0]), pair.a.peer);
  EXPECT_EQ(destination_of(sent[1]), elsewhere);
  EXPECT_TRUE(std::ranges::equal(mac_of(sent[1]), new_mac.bytes));
  EXPECT_EQ(destination_of(sent[2]), pair.a.peer);
  EXPECT_TRUE(std::ranges::equal(mac_of(sent[2]), pair.a.peer_mac.bytes));
  EXPECT_EQ(sent[1].bytes.size(), sent[0].bytes.size());

  // Lost on the way there, it costs no packet.
  pair.a.wire.sent.erase(pair.a.wire.sent.begin() + 1);
  pair.carry();
  pair.b.worker->turn(pair.now);
  pair.now += 1s;
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 2u);
  EXPECT_EQ(test::in_use(pair.a.punt_pool), 0u);
  expect_balanced(pair);
}

// Else one who keeps a site asking could keep it from speaking to the far side.
TEST_F(MoveTest, AChallengeIsNoKeepalive) {
  pair.connect(roaming_session());
  const auto sent_home = [&] {
    return std::ranges::count(pair.a.wire.sent, pair.a.peer, destination_of);
  };
  for (const Time end = pair.now + 2 * limits::keepalive; pair.now < end; pair.now += 250ms) {
    challenge();
    pair.a.worker->turn(pair.now);
  }
  EXPECT_GE(sent_home(), 1);
  expect_balanced(pair);
}

TEST_F(MoveTest, FramesGoWhereTheMainCoreSays) {
  pair.connect(roaming_session());
  command(Command::Kind::move);
  pair.a.worker->turn(pair.now);
  const auto sent = [&] {
    pair.a.wire.sent.clear();
    send_packet();
    pair.now += 2s;
    pair.a.worker->turn(pair.now);
    return pair.a.wire.sent.at(0);
  };
  EXPECT_EQ(destination_of(sent()), elsewhere);
  EXPECT_TRUE(std::ranges::equal(mac_of(sent()), new_mac.bytes));

  // The old next hop's news is of no concern any more, the new one's is.
  const MacAddress newer{{std::byte{2}, std::byte{8}}};
  pair.a.command({.kind = Command::Kind::next_hop, .mac = newer, .address = pair.a.peer.address});
  pair.a.worker->turn(pair.now);
  EXPECT_TRUE(std::ranges::equal(mac_of(sent()), new_mac.bytes));
  pair.a.command({.kind = Command::Kind::next_hop, .mac = newer, .address = elsewhere.address});
  pair.a.worker->turn(pair.now);
  EXPECT_TRUE(std::ranges::equal(mac_of(sent()), newer.bytes));
  expect_balanced(pair);
}

TEST_F(MoveTest, ASessionThatIsGoneGoesNowhere) {
  pair.connect(roaming_session());
  pair.a.command({.kind = Command::Kind::remove, .session = pair.session_a->shares[0].get()});
  challenge();
  command(Command::Kind::move);
  pair.a.worker->turn(pair.now);
  EXPECT_TRUE(pair.a.wire.sent.empty());
  EXPECT_EQ(test::in_use(pair.a.punt_pool), 0u);
}

}  // namespace
}  // namespace penstock::dataplane
