// What comes out of good frames: packets to deliver, and what even a peer may not deliver.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/forger.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using test::bytes_of;
using test::Forger;
using test::make_packet;
using test::TestSite;

class DeliveryTest : public testing::Test {
 protected:
  explicit DeliveryTest(test::SiteOptions options = {}) : site{0, options} {
    site.install(session, now);
    turn();
  }
  void turn() { site.worker->turn(now); }
  void send(std::uint64_t number, const std::vector<Forger::Block>& blocks) {
    forger.send(forger.frame(number, blocks));
  }
  void expect_dropped(const Forger::Block& block, DropReason reason) {
    const auto before = site.count()[reason];
    send(sequence++, {block});
    turn();
    EXPECT_EQ(site.count()[reason], before + 1) << info(reason).name;
    EXPECT_TRUE(site.plain.sent.empty());
    EXPECT_EQ(unbalanced_book(site.count()), "");
  }
  // UDP over IPv4 behind a virtio-net header that asks for its checksum.
  Forger::Block unfinished(std::size_t size = 100) {
    std::vector<std::byte> block(10);
    write_virtio_net(VirtioNetBytes{block.data(), 10},
                     {.flags = VirtioNetHeader::needs_csum, .csum_start = 34, .csum_offset = 6});
    auto packet = make_packet(size, ethertype_ipv4);
    auto ip = bytes_of({0x45, 0, 0,  0, 0, 0, 0, 0, 64, 17, 0, 0, 10,   0,
                        0,    1, 10, 0, 0, 2, 0, 1, 0,  2,  0, 0, 0x12, 0x34});
    store_be16(&ip[2], static_cast<std::uint16_t>(size - 14));
    store_be16(&ip[24], static_cast<std::uint16_t>(size - 34));
    std::ranges::copy(ip, packet.begin() + 14);
    block.insert(block.end(), packet.begin(), packet.end());
    return {BlockKind::offload_ethernet, block};
  }
  // TCP over IPv4, segmentation still to do.
  Forger::Block segmented(std::uint16_t gso_size) {
    std::vector<std::byte> block(10);
    write_virtio_net(VirtioNetBytes{block.data(), 10}, {.flags = VirtioNetHeader::needs_csum,
                                                        .gso_type = VirtioNetHeader::gso_tcp4,
                                                        .header_length = 54,
                                                        .gso_size = gso_size,
                                                        .csum_start = 34,
                                                        .csum_offset = 16});
    auto packet = make_packet(1200, ethertype_ipv4);
    auto ip = bytes_of({0x45, 0, 4, 162, 0, 0, 0, 0, 64, 6, 0, 0, 10,   0,    0, 1, 10, 0, 0, 2,
                        0,    1, 0, 2,   0, 0, 0, 0, 0,  0, 0, 0, 0x50, 0x10, 0, 0, 0,  0, 0, 0});
    std::ranges::copy(ip, packet.begin() + 14);
    block.insert(block.end(), packet.begin(), packet.end());
    return {BlockKind::offload_ethernet, block};
  }

  Time now = 1000s;
  TestSite site;
  ipc::InstallSession session = test::make_session();
  Forger forger{site, session};
  std::uint64_t sequence = 0;
};

class WholePacketsOnlyTest : public DeliveryTest {
 protected:
  WholePacketsOnlyTest() : DeliveryTest({.plain_takes_offload = false}) {}
};

TEST_F(DeliveryTest, KeepaliveAndDummyDeliverNothing) {
  send(0, {});
  send(1, {{BlockKind::control, {}}});
  send(2, {{BlockKind::control, bytes_of({1, 2, 3})}});
  turn();
  EXPECT_EQ(site.count()[Counter::frames_opened], 3u);
  EXPECT_EQ(site.count()[Counter::packets_rebuilt], 0u);
  EXPECT_EQ(site.count()[DropReason::unknown_kind], 0u);
}

TEST_F(DeliveryTest, MalformedPackets) {
  expect_dropped({BlockKind::ethernet, make_packet(13)}, DropReason::malformed_packet);
  expect_dropped({BlockKind::ip, make_packet(60)}, DropReason::malformed_packet);
  auto short_one = unfinished();
  short_one.bytes.resize(23);
  expect_dropped(short_one, DropReason::malformed_packet);
}

TEST_F(DeliveryTest, WhatThePlainPortCannotSend) {
  send(sequence++, {{BlockKind::ethernet, make_packet(1500 - 300)}});  // fits
  turn();
  EXPECT_EQ(site.plain.sent.size(), 1u);
  site.plain.sent.clear();
  site.plain.slot_capacity = 500;
  expect_dropped({BlockKind::ethernet, make_packet(600)}, DropReason::delivery_too_long);
}

TEST_F(DeliveryTest, LongerThanThePlainMtu) {
  TestSite narrow{0, {.plain_mtu = 600}};
  narrow.install(session, now);
  Forger other{narrow, session};
  narrow.worker->turn(now);
  other.send(other.frame(0, {{BlockKind::ethernet, make_packet(622)}}));  // two tags beside the MTU
  other.send(other.frame(1, {{BlockKind::ethernet, make_packet(623)}}));
  other.send(other.frame(2, {unfinished(623)}));
  other.send(other.frame(3, {segmented(569)}));  // each segment would be 54 + 569
  other.send(other.frame(4, {segmented(568)}));
  narrow.worker->turn(now);
  EXPECT_EQ(narrow.plain.sent.size(), 2u);
  EXPECT_EQ(narrow.count()[DropReason::delivery_too_long], 3u);
  EXPECT_EQ(unbalanced_book(narrow.count()), "");
}

TEST_F(DeliveryTest, APlainPortThatIsFull) {
  site.plain.accepts = 3;
  for (int i = 0; i < 10; ++i) send(sequence++, {{BlockKind::ethernet, make_packet(60)}});
  turn();
  EXPECT_EQ(site.plain.sent.size(), 3u);
  EXPECT_EQ(site.count()[DropReason::plain_tx_full], 7u);
  EXPECT_EQ(unbalanced_book(site.count()), "");
}

TEST_F(DeliveryTest, UnfinishedPacketsGetANewHeader) {
  send(sequence++, {unfinished()});
  send(sequence++, {segmented(500)});
  turn();
  ASSERT_EQ(site.plain.sent.size(), 2u);
  EXPECT_EQ(site.plain.sent[0].offload.csum_start, 34);
  EXPECT_EQ(site.plain.sent[1].offload.gso_type, VirtioNetHeader::gso_tcp4);
  EXPECT_EQ(site.plain.sent[1].offload.gso_size, 500);
}

TEST_F(DeliveryTest, ClaimsThatDoNotFitThePacket) {
  expect_dropped({BlockKind::offload_ethernet, bytes_of({1, 2, 3})}, DropReason::bad_offload);
  auto wrong_protocol = segmented(500);
  wrong_protocol.bytes[10 + 14 + 9] = std::byte{17};  // UDP, not TCP
  expect_dropped(wrong_protocol, DropReason::bad_offload);
  expect_dropped(segmented(100), DropReason::bad_offload);  // too small a segment
}

TEST_F(WholePacketsOnlyTest, UnfinishedPacketsAreNotForwarded) {
  expect_dropped(unfinished(), DropReason::needs_offload);
  expect_dropped(segmented(500), DropReason::needs_offload);
}

// --- reassembly: what only a peer or a loss can cause -----------------------------------

TEST_F(DeliveryTest, UnknownKindsAreSkipped) {
  send(sequence++,
       {{static_cast<BlockKind>(77), make_packet(30)}, {BlockKind::ethernet, make_packet(60)}});
  turn();
  EXPECT_EQ(site.count()[DropReason::unknown_kind], 1u);
  EXPECT_EQ(site.plain.sent.size(), 1u);
}

TEST_F(DeliveryTest, BrokenContents) {
  forger.send(forger.raw_frame(sequence++, bytes_of({0, 0, 0, 1})));  // flags
  turn();
  EXPECT_EQ(site.count()[DropReason::bad_prologue], 1u);
  forger.send(forger.raw_frame(sequence++, bytes_of({0, 0, 0, 0, 1, 0xff, 0xff, 0xff})));
  turn();
  EXPECT_EQ(site.count()[DropReason::bad_block], 1u);
  EXPECT_EQ(site.count()[Counter::frames_opened], 2u);
  EXPECT_EQ(unbalanced_book(site.count()), "");
}

TEST_F(DeliveryTest, ALostFrameCostsThePacketsThatTouchedIt) {
  test::TestPair pair{{.plain_mtu = 9000}};
  pair.connect();
  std::vector<std::vector<std::byte>> packets;
  for (int i = 0; i < 3; ++i) {
    packets.push_back(make_packet(4000));
    pair.a.plain.incoming.push_back({.bytes = packets.back()});
  }
  pair.a.worker->turn(pair.now);
  pair.a.wire.sent.erase(pair.a.wire.sent.begin() + 4);  // of the second packet only
  pair.carry();
  pair.run();
  EXPECT_EQ(pair.b.plain.sent.size(), 1u);  // the third waits for the gap
  EXPECT_GT(pair.b.count()[Gauge::held_frames], 0u);
  EXPECT_EQ(pair.b.worker->deadline(), pair.now + limits::reorder_wait);
  pair.now += limits::reorder_wait;
  pair.run();
  ASSERT_EQ(pair.b.plain.sent.size(), 2u);
  EXPECT_EQ(pair.b.plain.sent[1].bytes, packets[2]);
  EXPECT_EQ(pair.b.count()[DropReason::incomplete_packet], 1u);
  EXPECT_EQ(pair.b.count()[Gauge::held_frames], 0u);
  expect_balanced(pair);
}

// Those that lay whole in the frame are gone without a trace; what was cut is counted.
TEST_F(DeliveryTest, ALostFrameOfManyPacketsCostsThoseThatTouchedIt) {
  test::TestPair pair;
  pair.connect();
  std::vector<std::vector<std::byte>> packets;
  for (int i = 0; i < 60; ++i) {
    packets.push_back(make_packet(64));
    pair.a.plain.incoming.push_back({.bytes = packets.back()});
  }
  pair.a.worker->turn(pair.now);
  ASSERT_EQ(pair.a.wire.sent.size(), 3u);  // 60 * 68 bytes in frames of 1436
  pair.a.wire.sent.erase(pair.a.wire.sent.begin() + 1);
  pair.run();
  pair.now += limits::reorder_wait;
  pair.run();
  // The second held the end of the 22nd packet, 20 whole ones, and the beginning of the 43rd.
  ASSERT_EQ(pair.b.plain.sent.size(), 60u - 22);
  EXPECT_EQ(pair.b.plain.sent[20].bytes, packets[20]);
  EXPECT_EQ(pair.b.plain.sent[21].bytes, packets[43]);
  EXPECT_EQ(pair.b.count()[DropReason::incomplete_packet], 1u);  // they might be one long packet
  expect_balanced(pair);
}

TEST_F(DeliveryTest, FramesThatOvertakeEachOtherAreDeliveredInOrder) {
  const auto first = make_packet(100);
  const auto second = make_packet(100);
  send(0, {});
  send(2, {{BlockKind::ethernet, second}});
  send(1, {{BlockKind::ethernet, first}});
  turn();
  ASSERT_EQ(site.plain.sent.size(), 2u);
  EXPECT_EQ(site.plain.sent[0].bytes, first);
  EXPECT_EQ(site.plain.sent[1].bytes, second);
}

TEST_F(DeliveryTest, AFrameAfterItsGapWasGivenUpIsLate) {
  send(0, {});
  send(2, {{BlockKind::ethernet, make_packet(60)}});
  turn();
  now += limits::reorder_wait;
  turn();
  EXPECT_EQ(site.plain.sent.size(), 1u);
  send(1, {{BlockKind::ethernet, make_packet(60)}});
  turn();
  EXPECT_EQ(site.count()[DropReason::late_frame], 1u);
  EXPECT_EQ(site.plain.sent.size(), 1u);
}

}  // namespace
}  // namespace penstock::dataplane
