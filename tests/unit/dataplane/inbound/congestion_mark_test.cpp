// Congestion marks of the path (RFC 3168): of authentic frames they are counted, and nothing else
// is done with them.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/forger.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using test::Forger;
using test::make_packet;
using test::TestSite;

// What the path makes of a packet's ECN field.
void set_ecn(std::vector<std::byte>& packet, IpVersion version, std::uint8_t ecn) {
  const MutableBytes ip = std::span{packet}.subspan(ethernet_header);
  if (version == IpVersion::v6) {
    store_u8(&ip[1], static_cast<std::uint8_t>((load_u8(&ip[1]) & 0xcf) | ecn << 4));
    return;
  }
  store_u8(&ip[1], static_cast<std::uint8_t>((load_u8(&ip[1]) & 0xfc) | ecn));
  store_be16(&ip[10], 0);
  store_be16(&ip[10], internet_checksum(ip.first(ipv4_header)));
}

class CongestionMarks : public testing::TestWithParam<IpVersion> {
 protected:
  CongestionMarks() {
    record = &site.install(session, now);
    turn();
  }
  void turn() { site.worker->turn(now); }
  void send(std::vector<std::byte> frame, std::uint8_t ecn) {
    forger.send(frame);
    set_ecn(site.wire.incoming.back().bytes, GetParam(), ecn);
    turn();
  }
  std::vector<std::byte> good(std::uint64_t sequence) {
    return forger.frame(sequence, {{BlockKind::ethernet, packet}});
  }

  Time now = std::chrono::seconds{1000};
  TestSite site{0, {.version = GetParam()}};
  ipc::InstallSession session = test::make_session();
  SessionRecord* record = nullptr;
  Forger forger{site, session};
  std::vector<std::byte> packet = make_packet(60);
};

INSTANTIATE_TEST_SUITE_P(DataPlane, CongestionMarks, testing::Values(IpVersion::v4, IpVersion::v6));

TEST_P(CongestionMarks, AreCountedAndThePacketsInsideStayAsTheyAre) {
  for (std::uint8_t ecn = 0; ecn < 4; ++ecn) send(good(ecn), ecn);
  EXPECT_EQ(site.count()[Counter::frames_opened], 4u);
  EXPECT_EQ(site.count()[Counter::frames_ce], 1u);
  ASSERT_EQ(site.plain.sent.size(), 4u);
  for (const auto& sent : site.plain.sent) EXPECT_EQ(sent.bytes, packet);
}

TEST_P(CongestionMarks, OfForgedAndReplayedFramesSayNothing) {
  send(good(0), 0);
  send(good(0), 3);
  auto forged = good(1);
  forged.back() ^= std::byte{1};
  send(forged, 3);
  EXPECT_EQ(site.count()[Counter::frames_ce], 0u);
}

TEST_P(CongestionMarks, AreTalliedWhereTheFarSideIsToldOfThem) {
  send(good(0), 3);
  EXPECT_EQ(site.inbound(*record).tally.admitted(), 0u);
  site.inbound(*record).is_reported = true;
  send(good(1), 3);
  send(good(2), 0);
  EXPECT_EQ(site.inbound(*record).tally.admitted(), 2u);
  EXPECT_EQ(site.inbound(*record).tally.marked(), 1u);
}

}  // namespace
}  // namespace penstock::dataplane
