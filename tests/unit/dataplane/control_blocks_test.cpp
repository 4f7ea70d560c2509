// Control blocks: what the two control planes say to each other inside a session.
#include <gtest/gtest.h>

#include "penstock/wire/block.hpp"
#include "tests/unit/dataplane/fixture/forger.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using test::Forger;
using test::make_packet;
using test::TestPair;
using test::TestSite;

std::vector<std::byte> handshake_block(std::uint8_t fill) {
  std::vector<std::byte> block(control_header + limits::handshake_message, std::byte{fill});
  block[0] = static_cast<std::byte>(ControlType::handshake);
  return block;
}

class ControlBlocks : public testing::TestWithParam<std::uint16_t> {};

INSTANTIATE_TEST_SUITE_P(DataPlane, ControlBlocks, testing::Values(256, 1000, 1472),
                         [](const auto& test) { return std::to_string(test.param); });

// Also where a block takes several frames, and among packets, which stay as they were.
TEST_P(ControlBlocks, ArriveWholeAndInOrderAmongPackets) {
  TestPair pair;
  ipc::InstallSession session = test::make_session();
  session.frame_size = GetParam();
  pair.connect(session);
  std::vector<std::vector<std::byte>> packets;
  for (std::uint8_t round = 0; round < 5; ++round) {
    packets.push_back(make_packet(700 + std::size_t{round}));
    pair.a.plain.incoming.push_back({.bytes = packets.back()});
    pair.a.send_control(*pair.session_a, handshake_block(round));
    pair.run();
  }
  const auto heard = pair.b.heard();
  ASSERT_EQ(heard.size(), 5u);
  for (std::uint8_t round = 0; round < 5; ++round) {
    EXPECT_EQ(heard[round].spi.base().value, session.remote_spi_base);
    EXPECT_EQ(heard[round].bytes, std::vector(limits::handshake_message, std::byte{round}));
  }
  ASSERT_EQ(pair.b.plain.sent.size(), packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i)
    EXPECT_EQ(pair.b.plain.sent[i].bytes, packets[i]);
  expect_balanced(pair);
}

TEST(ControlBlock, OfASessionThatIsGoneIsDropped) {
  TestPair pair;
  pair.connect();
  pair.a.command({.kind = Command::Kind::remove, .session = pair.session_a->shares[0].get()});
  pair.a.send_control(*pair.session_a, handshake_block(1));
  pair.run();
  EXPECT_TRUE(pair.b.heard().empty());
  expect_balanced(pair);
}

TEST(ControlBlock, PastTheHardLimitIsDropped) {
  TestPair pair;
  pair.connect();
  OutboundSa& sa = pair.a.outbound(*pair.session_a);
  sa.keys.lower_limits(sa.frames_begun, sa.frames_begun);
  pair.a.send_control(*pair.session_a, handshake_block(1));
  pair.run();
  EXPECT_TRUE(pair.b.heard().empty());
  expect_balanced(pair);
}

class HeardBlock : public testing::Test {
 protected:
  HeardBlock() {
    site.install(session, now);
    site.worker->turn(now);
  }
  void hear(std::vector<std::byte> block) {
    forger.send(forger.frame(sequence++, {{BlockKind::control, std::move(block)}}));
    site.worker->turn(now);
  }

  Time now = std::chrono::seconds{1000};
  TestSite site{0};
  ipc::InstallSession session = test::make_session();
  Forger forger{site, session};
  std::uint64_t sequence = 0;
};

TEST_F(HeardBlock, AnEmptyOneIsAKeepalive) {
  hear({});
  EXPECT_TRUE(site.heard().empty());
  EXPECT_EQ(site.count()[DropReason::bad_control], 0u);
  EXPECT_EQ(site.count()[Counter::frames_opened], 1u);
}

TEST_F(HeardBlock, WhatMakesNoSenseIsCounted) {
  auto unknown = handshake_block(1);
  unknown[0] = std::byte{200};
  auto cut = handshake_block(1);
  cut.pop_back();
  auto longer = handshake_block(1);
  longer.emplace_back();
  for (const auto& block : {unknown, cut, longer, {std::byte{1}}}) hear(block);
  EXPECT_TRUE(site.heard().empty());
  EXPECT_EQ(site.count()[DropReason::bad_control], 4u);
  EXPECT_EQ(unbalanced_book(site.count()), "");
}

// The far side's keys in wrong hands must not drown the control plane.
TEST_F(HeardBlock, SoManyAtOnceAndNoMore) {
  for (int i = 0; i < 100; ++i) hear(handshake_block(1));
  EXPECT_EQ(site.heard().size(), 16u);
  EXPECT_EQ(site.count()[DropReason::control_full], 84u);
}

// Nor may one far side's flood keep what others say from it.
TEST_F(HeardBlock, AFloodInOneSessionSilencesNoOther) {
  ipc::InstallSession session_of_other = test::make_session(2);
  session_of_other.link = 1;
  site.install(session_of_other, now);
  site.worker->turn(now);
  Forger other{site, session_of_other};
  for (int i = 0; i < 1000; ++i) hear(handshake_block(1));
  EXPECT_EQ(site.heard().size(), 16u);
  other.send(other.frame(0, {{BlockKind::control, handshake_block(2)}}));
  site.worker->turn(now);
  const auto heard = site.heard();
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].bytes, std::vector(limits::handshake_message, std::byte{2}));
}

}  // namespace
}  // namespace penstock::dataplane
