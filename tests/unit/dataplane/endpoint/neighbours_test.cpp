// ARP and neighbour discovery, the same questions to both.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/packets.hpp"

#include "dataplane/endpoint/neighbour_discovery.hpp"
#include "dataplane/endpoint/packets.hpp"

namespace penstock::dataplane::endpoint {
namespace {

constexpr MacAddress our_mac{{std::byte{2}, {}, {}, {}, {}, std::byte{1}}};
constexpr MacAddress their_mac{{std::byte{2}, {}, {}, {}, {}, std::byte{2}}};

struct Family {
  const char* ours;
  const char* theirs;
  const char* other;
};

class NeighboursTest : public testing::TestWithParam<Family> {
 protected:
  WireIdentity us{our_mac, *parse_endpoint(GetParam().ours, 7670)};
  WireIdentity them{their_mac, *parse_endpoint(GetParam().theirs, 7670)};
};

INSTANTIATE_TEST_SUITE_P(Families, NeighboursTest,
                         testing::Values(Family{"192.0.2.1", "192.0.2.2", "192.0.2.3"},
                                         Family{"2001:db8::1", "2001:db8::2", "2001:db8::3"}));

TEST_P(NeighboursTest, AQuestionForUsIsAnsweredToTheAsker) {
  const Packet question = ask_neighbour(us.endpoint.address, them);
  const auto who = read_neighbour(question, us);
  ASSERT_TRUE(who);
  EXPECT_TRUE(who->asks_for_us);
  EXPECT_EQ(who->address, them.endpoint.address);
  EXPECT_EQ(who->mac, their_mac);

  const Packet answer = answer_neighbour(*who, us);
  EXPECT_TRUE(std::ranges::equal(Bytes{answer}.first(6), their_mac.bytes));
  const auto learned = read_neighbour(answer, them);
  ASSERT_TRUE(learned);
  EXPECT_FALSE(learned->asks_for_us);
  EXPECT_EQ(learned->address, us.endpoint.address);
  EXPECT_EQ(learned->mac, our_mac);
}

TEST_P(NeighboursTest, AQuestionForAnotherIsNone) {
  EXPECT_FALSE(read_neighbour(ask_neighbour(*parse_ip(GetParam().other), them), us));
}

TEST_P(NeighboursTest, AQuestionGoesToAGroup) {
  const Packet question = ask_neighbour(us.endpoint.address, them);
  EXPECT_EQ(load_u8(question.data()) & 1, 1);
}

// It would have us send to everybody.
TEST_P(NeighboursTest, NoStationHasAGroupAddress) {
  WireIdentity group = them;
  group.mac.bytes[0] = std::byte{0x33};
  EXPECT_FALSE(read_neighbour(ask_neighbour(us.endpoint.address, group), us));
  const Neighbour asker{.address = us.endpoint.address, .mac = our_mac};
  EXPECT_FALSE(read_neighbour(answer_neighbour(asker, group), us));
}

// Every truncation and every flipped byte is refused or read, never read past (sanitizers).
TEST_P(NeighboursTest, BrokenPacketsDoNoHarm) {
  for (const Packet& whole : {ask_neighbour(us.endpoint.address, them),
                              answer_neighbour({us.endpoint.address, our_mac}, them)}) {
    for (std::size_t size = 14; size < whole.size(); ++size) {
      const Packet cut(whole.begin(), whole.begin() + static_cast<long>(size));
      EXPECT_FALSE(read_neighbour(cut, us)) << size;
    }
    for (std::size_t at = 14; at < whole.size(); ++at) {
      Packet flipped = whole;
      flipped[at] ^= std::byte{0xff};
      static_cast<void>(read_neighbour(flipped, us));
    }
  }
}

// Gratuitous ARP (RFC 5227): an address tells everybody where it has moved.
TEST(Arp, AGratuitousOneIsLearnedAndNotAnswered) {
  const WireIdentity us{our_mac, *parse_endpoint("192.0.2.1", 7670)};
  const WireIdentity them{their_mac, *parse_endpoint("192.0.2.2", 7670)};
  const auto who = read_neighbour(ask_neighbour(them.endpoint.address, them), us);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->address, them.endpoint.address);
  EXPECT_EQ(who->mac, their_mac);
  EXPECT_FALSE(who->asks_for_us);
}

TEST(NeighbourDiscovery, AUnicastSolicitationMayLeaveItsOptionOut) {
  const WireIdentity us{our_mac, *parse_endpoint("2001:db8::1", 7670)};
  const WireIdentity them{their_mac, *parse_endpoint("2001:db8::2", 7670)};
  Packet question = ask_neighbour(us.endpoint.address, them);
  question.resize(question.size() - 8);
  store_be16(&question[14 + 4], 24);
  store_be16(&question[14 + 40 + 2], 0);
  store_be16(&question[14 + 40 + 2], icmpv6_checksum(question));
  const auto who = read_neighbour(question, us);
  ASSERT_TRUE(who);
  EXPECT_EQ(who->mac, their_mac);
}

TEST(NeighbourDiscovery, ChecksumAndHopLimitAreChecked) {
  const WireIdentity us{our_mac, *parse_endpoint("2001:db8::1", 7670)};
  const WireIdentity them{their_mac, *parse_endpoint("2001:db8::2", 7670)};
  const Packet good = ask_neighbour(us.endpoint.address, them);
  EXPECT_EQ(icmpv6_checksum(good), 0);
  Packet routed = good;
  store_u8(&routed[14 + 7], 254);
  EXPECT_FALSE(read_neighbour(routed, us));
  Packet flipped = good;
  flipped.back() ^= std::byte{1};
  EXPECT_FALSE(read_neighbour(flipped, us));
}

TEST(NeighbourDiscovery, AsksTheSolicitedNodeGroup) {
  const WireIdentity us{our_mac, *parse_endpoint("2001:db8::1", 7670)};
  const Packet question = ask_neighbour(*parse_ip("2001:db8::12:3456"), us);
  EXPECT_TRUE(std::ranges::equal(Bytes{question}.first(6),
                                 test::bytes_of({0x33, 0x33, 0xff, 0x12, 0x34, 0x56})));
  EXPECT_EQ(IpAddress::from(Bytes{question}.subspan(14 + 24, 16)), *parse_ip("ff02::1:ff12:3456"));
}

}  // namespace
}  // namespace penstock::dataplane::endpoint
