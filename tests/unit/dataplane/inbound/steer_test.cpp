// Frames that are not believed: what is dropped before crypto, by the MAC, and by the window.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/forger.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using test::Forger;
using test::make_packet;
using test::TestSite;

class HostileWireTest : public testing::Test {
 protected:
  HostileWireTest() { site.install(session, now), turn(); }

  void turn() { site.worker->turn(now); }
  // Sends the payload; what it was dropped for, and nothing else.
  void expect_dropped(const std::vector<std::byte>& payload, DropReason reason) {
    const Counters before = site.count();
    forger.send(payload);
    turn();
    Counters expected = before;
    ++expected.drops[static_cast<std::size_t>(reason)];
    EXPECT_EQ(site.count().drops, expected.drops) << info(reason).name;
    EXPECT_EQ(site.count()[Counter::frames_opened], before[Counter::frames_opened]);
    EXPECT_EQ(unbalanced_book(site.count()), "");
  }
  std::vector<std::byte> good(std::uint64_t sequence) {
    return forger.frame(sequence, {{BlockKind::ethernet, make_packet(60)}});
  }

  Time now = std::chrono::seconds{1000};
  TestSite site{0};
  ipc::InstallSession session = test::make_session();
  Forger forger{site, session};
};

TEST_F(HostileWireTest, AGoodFrameIsOpened) {
  forger.send(good(0));
  turn();
  EXPECT_EQ(site.count()[Counter::frames_opened], 1u);
  EXPECT_EQ(site.plain.sent.size(), 1u);
}

TEST_F(HostileWireTest, ProbesThatNameNoSessionOrCannotBeOnes) {
  const auto probe = [&](std::size_t size) {
    std::vector<std::byte> packet(size);
    write_frame_header(std::span{packet}.first<frame_layout::header>(),
                       {.spi = Spi{session.local_spi_base}, .sequence = {}},
                       PacketType::path_probe);
    return packet;
  };
  for (const std::size_t at : {1u, 2u, 3u, 4u, 7u}) {
    auto packet = probe(256);
    packet[at] ^= std::byte{1};
    expect_dropped(packet, DropReason::bad_probe);
  }
  expect_dropped(probe(255), DropReason::bad_probe);
  expect_dropped({std::byte{6}}, DropReason::bad_probe);
}

TEST_F(HostileWireTest, ProbesOfAStrangerUseUpNothingOfTheFarSides) {
  std::vector<std::byte> probe(256);
  write_frame_header(std::span{probe}.first<frame_layout::header>(),
                     {.spi = Spi{session.local_spi_base}, .sequence = {}}, PacketType::path_probe);
  Endpoint strange = site.peer;
  ++strange.port;
  for (int i = 0; i < 40; ++i) forger.send(probe, strange);
  turn();
  const std::uint64_t looked_at = site.count()[Counter::punted];
  EXPECT_EQ(looked_at, 4u) << "of one session's strays at once: who watches it takes no other's";
  EXPECT_EQ(site.count()[DropReason::probe_full], 40 - looked_at);
  for (int i = 0; i < 20; ++i) forger.send(probe);
  turn();
  EXPECT_EQ(site.count()[Counter::punted] - looked_at, 8u) << "of a session at once";
  EXPECT_EQ(unbalanced_book(site.count()), "");
}

TEST_F(HostileWireTest, HeadersThatAreNotOurs) {
  const auto changed = [&](std::size_t at, int value) {
    auto frame = good(0);
    frame[at] = static_cast<std::byte>(value);
    return frame;
  };
  expect_dropped(changed(0, 7), DropReason::bad_type);
  expect_dropped(changed(0, 0), DropReason::bad_type);
  expect_dropped(changed(1, 2), DropReason::bad_version);
  expect_dropped(changed(2, 1), DropReason::bad_header);
  expect_dropped(changed(3, 1), DropReason::bad_header);
  auto no_spi = good(0);
  store_be32(&no_spi[4], 0);
  expect_dropped(no_spi, DropReason::bad_header);
  expect_dropped(changed(4, 0xee), DropReason::unknown_spi);  // another generation
  expect_dropped(changed(7, 0x81), DropReason::unknown_spi);  // another lane
}

TEST_F(HostileWireTest, EveryOtherLength) {
  const auto frame = good(0);
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 1471u})
    expect_dropped({frame.begin(), frame.begin() + size}, DropReason::bad_length);
  auto longer = frame;
  longer.push_back({});
  expect_dropped(longer, DropReason::bad_length);
}

TEST_F(HostileWireTest, EveryFlippedBitIsCaught) {
  const auto frame = good(0);
  const auto flipped = [&](std::size_t at) {
    auto copy = frame;
    copy[at] ^= std::byte{0x10};
    return copy;
  };
  std::uint64_t failed = 0;
  for (const std::size_t at : {15u, 16u, 18u, 20u, 100u, 1455u, 1456u, 1471u}) {
    expect_dropped(flipped(at), DropReason::bad_tag);
    ++failed;
  }
  EXPECT_EQ(site.directory->all()[0]->shares[0]->progress.failed_opens.load(), failed);
  forger.send(frame);  // the frame itself is still good: nothing of the others was believed
  turn();
  EXPECT_EQ(site.count()[Counter::frames_opened], 1u);
}

TEST_F(HostileWireTest, APriorityIsNoVlan) {
  forger.send(good(0));
  site.wire.incoming.back().vlan_tpid = 0x8100;
  site.wire.incoming.back().vlan_tci = 0xa000;  // priority 5, VLAN 0
  turn();
  EXPECT_EQ(site.count()[Counter::frames_opened], 1u);
}

TEST_F(HostileWireTest, ReplaysAlsoTwiceInOneBatch) {
  forger.send(good(5));
  forger.send(good(5));
  turn();
  EXPECT_EQ(site.count()[Counter::frames_opened], 1u);
  EXPECT_EQ(site.count()[DropReason::replayed], 1u);
  expect_dropped(good(5), DropReason::replayed);
}

TEST_F(HostileWireTest, LeftOfTheWindow) {
  forger.send(good(limits::replay_window));
  turn();
  expect_dropped(good(0), DropReason::too_old);
  forger.send(good(1));
  turn();
  EXPECT_EQ(site.count()[Counter::frames_opened], 2u);
}

TEST_F(HostileWireTest, AnSaStopsAfterTooManyFailures) {
  InboundSa& sa = site.inbound(*site.directory->all()[0]);
  sa.failed_opens = sa.max_failed_opens - 1;
  auto forged = good(0);
  forged[1471] ^= std::byte{1};
  expect_dropped(forged, DropReason::bad_tag);
  expect_dropped(good(0), DropReason::open_limit);
  const auto notes = site.notes();
  ASSERT_FALSE(notes.empty());
  EXPECT_EQ(notes.back().kind, Note::Kind::rekey_wanted);
}

TEST_F(HostileWireTest, WhatIsNoFrame) {
  const auto expect_wire_drop = [&](test::FakePacket packet, DropReason reason) {
    const auto before = site.count()[reason];
    site.wire.incoming.push_back(std::move(packet));
    turn();
    EXPECT_EQ(site.count()[reason], before + 1) << info(reason).name;
    EXPECT_EQ(site.count()[Counter::frames_received], 0u);
  };
  const auto framed = [&](auto change) {
    forger.send(good(0));
    test::FakePacket packet = std::move(site.wire.incoming.back());
    site.wire.incoming.pop_back();
    change(packet);
    return packet;
  };
  expect_wire_drop({.bytes = make_packet(60)}, DropReason::wire_foreign);
  expect_wire_drop(framed([](auto& p) {
                     p.vlan_tpid = 0x8100;
                     p.vlan_tci = 1;
                   }),
                   DropReason::wire_foreign);
  expect_wire_drop(framed([](auto& p) { p.bytes.resize(50); }), DropReason::wire_malformed);
  expect_wire_drop(framed([](auto& p) {
                     store_be16(&p.bytes[20], 0x2000);
                     store_be16(&p.bytes[24], 0);
                     store_be16(&p.bytes[24], internet_checksum(Bytes{p.bytes}.subspan(14, 20)));
                   }),
                   DropReason::wire_fragment);
}

TEST_F(HostileWireTest, PuntsHandshakesUntilTheRateSaysNo) {
  std::vector<std::byte> message(limits::handshake_message);
  message[0] = std::byte{1};
  message[1] = std::byte{wire_version};
  for (int i = 0; i < 200; ++i) forger.send(message);
  for (int i = 0; i < 4; ++i) turn();
  EXPECT_EQ(site.count()[Counter::punted], 128u);
  EXPECT_EQ(site.count()[DropReason::handshake_full], 72u);
  EXPECT_EQ(site.punts(), std::vector<PuntKind>(128, PuntKind::handshake));
  now += std::chrono::seconds{1};
  forger.send(message);
  turn();
  EXPECT_EQ(site.punts().size(), 1u);
}

TEST_F(HostileWireTest, StrangersDoNotUseUpWhatFarSidesMaySend) {
  std::vector<std::byte> message(limits::handshake_message);
  message[0] = std::byte{1};
  message[1] = std::byte{wire_version};
  site.expected.set({*parse_endpoint("192.0.2.77:7670", 0)});
  for (int i = 0; i < 200; ++i) forger.send(message);
  for (int i = 0; i < 4; ++i) turn();
  EXPECT_EQ(site.count()[Counter::punted], 32u);
  EXPECT_EQ(site.count()[DropReason::stranger_full], 168u);
  site.expected.set({site.peer});
  forger.send(message);
  turn();
  EXPECT_EQ(site.count()[Counter::punted], 33u);
  EXPECT_EQ(site.punts(), std::vector{PuntKind::handshake}) << "in a ring of its own";
  EXPECT_EQ(site.strangers(), 32u);
  EXPECT_EQ(unbalanced_book(site.count()), "");
}

TEST_F(HostileWireTest, NamesWhatOnlyBeginsLikeAHandshake) {
  for (const auto& change : {std::pair{1, wire_version + 1}, std::pair{2, 1}, std::pair{3, 1}}) {
    std::vector<std::byte> message(limits::handshake_message);
    message[0] = std::byte{1};
    message[1] = std::byte{wire_version};
    message[static_cast<std::size_t>(change.first)] = static_cast<std::byte>(change.second);
    forger.send(message);
  }
  forger.send(std::vector<std::byte>{std::byte{4}, std::byte{wire_version}, {}, {}});
  turn();
  EXPECT_EQ(site.count()[DropReason::bad_handshake], 4u);
  EXPECT_EQ(site.count()[Counter::punted], 0u);
}

TEST_F(HostileWireTest, WaitsAtThePortWhenThereAreNoBuffers) {
  forger.send(good(0));
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* buffer = rte_pktmbuf_alloc(site.frames.get())) taken.push_back(buffer);
  for (int i = 0; i < 64; ++i) forger.send(good(static_cast<std::uint64_t>(i) + 1));
  turn();  // with the buffers at hand
  turn();
  turn();
  EXPECT_FALSE(taken.empty());
  rte_pktmbuf_free_bulk(taken.data(), static_cast<unsigned>(taken.size()));
  turn();
  turn();
  EXPECT_EQ(site.count()[Counter::frames_opened], 65u);
  EXPECT_EQ(site.plain.sent.size(), 65u);
  EXPECT_EQ(unbalanced_book(site.count()), "");
}

}  // namespace
}  // namespace penstock::dataplane
