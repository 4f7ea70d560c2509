// The DSCP and ECN of frames: the link's, whatever packets inside have; or, where asked, the DSCP
// of the first packet that begins in a frame.
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using test::make_packet;
using test::marked;
using test::TestPair;

constexpr unsigned voice = 46;
constexpr unsigned bulk = 8;

std::vector<unsigned> traffic_classes(test::TestSite& site) {
  std::vector<unsigned> found;
  for (const auto& packet : site.wire.sent) {
    EXPECT_TRUE(parse_udp(packet.bytes));  // its checksums are right
    const bool is_v4 = load_be16(&packet.bytes[12]) == ethertype_ipv4;
    found.push_back(is_v4 ? load_u8(&packet.bytes[15]) : load_be16(&packet.bytes[14]) >> 4 & 0xff);
  }
  return found;
}

struct OutboundTrafficClass : testing::TestWithParam<IpVersion> {
  TestPair pair{{.version = GetParam()}};

  void connect(ipc::Shaping shaping) {
    ipc::InstallSession session = test::make_session();
    session.shaping = shaping;
    pair.connect(session);
    pair.a.wire.sent.clear();
  }
  // Of the frames in which these packets leave together.
  std::vector<unsigned> send(std::initializer_list<std::vector<std::byte>> packets) {
    for (const auto& packet : packets) pair.a.plain.incoming.push_back({.bytes = packet});
    pair.a.worker->turn(pair.now);
    std::vector<unsigned> found = traffic_classes(pair.a);
    pair.run();
    return found;
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, OutboundTrafficClass,
                         testing::Values(IpVersion::v4, IpVersion::v6));

TEST_P(OutboundTrafficClass, IsZeroUnlessAsked) {
  connect({});
  EXPECT_EQ(send({marked(60, voice, 2)}), std::vector<unsigned>{0});
}

TEST_P(OutboundTrafficClass, IsTheLinksWhateverIsInside) {
  connect({.ecn = 1, .dscp = 10});
  for (unsigned dscp = 0; dscp < 64; dscp += 9)
    for (unsigned ecn = 0; ecn < 4; ++ecn)
      EXPECT_EQ(send({marked(60, dscp, ecn)}), std::vector<unsigned>{10 << 2 | 2});
  EXPECT_EQ(pair.b.plain.sent.size(), 32u);
}

TEST_P(OutboundTrafficClass, FollowsTheLinkToItsNewAddress) {
  connect({.ecn = 1, .dscp = 10});
  pair.a.command({.kind = Command::Kind::move,
                  .mac = pair.a.peer_mac,
                  .address = pair.a.peer.address,
                  .peer = pair.a.peer,
                  .session = pair.session_a->shares[0].get()});
  EXPECT_EQ(send({marked(60, voice)}), std::vector<unsigned>{10 << 2 | 2});
}

TEST_P(OutboundTrafficClass, CopiesTheFirstThatBegins) {
  connect({.ecn = 1, .copies_dscp = 1});
  EXPECT_EQ(send({marked(60, voice, 3), marked(60, bulk)}), std::vector<unsigned>{voice << 2 | 2});
  EXPECT_EQ(send({marked(60, bulk), marked(60, voice)}), std::vector<unsigned>{bulk << 2 | 2});
  EXPECT_EQ(send({make_packet(60)}), std::vector<unsigned>{2});  // no IP: none to copy
}

TEST_P(OutboundTrafficClass, AFrameInWhichNoneBeginsHasThatOfItsOne) {
  connect({.copies_dscp = 1});
  const std::size_t payload = pair.a.outbound(*pair.session_a).shape().payload();
  // Three frames of one packet, whose end shares the third with the next.
  const auto found = send({marked(2 * payload + 100, voice), marked(60, bulk)});
  EXPECT_EQ(found, (std::vector<unsigned>{voice << 2, voice << 2, bulk << 2}));
}

TEST_P(OutboundTrafficClass, ASteadyRhythmCopiesNothing) {
  for (const auto mode : {ShapeMode::burst, ShapeMode::constant, ShapeMode::quantized}) {
    TestPair other{{.version = GetParam()}};
    ipc::InstallSession session = test::make_session();
    const unsigned steps = mode == ShapeMode::quantized ? 2 : 1;
    session.shaping = {.mode = mode, .steps = static_cast<std::uint8_t>(steps), .copies_dscp = 1};
    session.shaping.dwell_ns = 1'000'000'000;
    session.shaping.queue_ns = 50'000'000;
    if (mode != ShapeMode::burst) session.shaping.rates = {1'000'000, 2'000'000};
    const bool copies = other.a.outbound(other.a.install(session, other.now)).copies_dscp;
    EXPECT_EQ(copies, mode == ShapeMode::burst);
  }
}

TEST_P(OutboundTrafficClass, DummiesCopyNothing) {
  connect({.copies_dscp = 1});
  (void)send({marked(60, voice)});
  pair.a.wire.sent.clear();
  pair.now += limits::keepalive;
  pair.a.worker->turn(pair.now);
  EXPECT_EQ(traffic_classes(pair.a), std::vector<unsigned>{0});
}

}  // namespace
}  // namespace penstock::dataplane
