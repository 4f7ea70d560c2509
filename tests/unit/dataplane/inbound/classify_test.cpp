#include "dataplane/inbound/classify.hpp"

#include <gtest/gtest.h>

#include "penstock/base/limits.hpp"
#include "penstock/wire/frame.hpp"
#include "penstock/wire/outer.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"

#include "dataplane/endpoint/packets.hpp"

namespace penstock::dataplane::inbound {
namespace {

constexpr MacAddress our_mac{{std::byte{2}, {}, {}, {}, {}, std::byte{1}}};
constexpr MacAddress their_mac{{std::byte{2}, {}, {}, {}, {}, std::byte{2}}};

WireIdentity us(const char* address) { return {our_mac, *parse_endpoint(address, 7670)}; }
WireIdentity them(const char* address) { return {their_mac, *parse_endpoint(address, 7670)}; }

std::vector<std::byte> datagram(const WireIdentity& from, const WireIdentity& to, Bytes payload) {
  const OuterHeader header = make_outer_header({.source_mac = from.mac,
                                                .destination_mac = to.mac,
                                                .source = from.endpoint,
                                                .destination = to.endpoint},
                                               payload.size());
  std::vector<std::byte> packet(header.view().begin(), header.view().end());
  packet.insert(packet.end(), payload.begin(), payload.end());
  finish_udp6_checksum(packet);
  return packet;
}

// An echo request as their site would turn round an answer of ours: made by hand.
std::vector<std::byte> echo4() {
  auto packet = datagram(them("192.0.2.2"), us("192.0.2.1"), test::make_packet(32));
  store_u8(&packet[14 + 9], 1);
  store_be16(&packet[14 + 10], 0);
  store_be16(&packet[14 + 10], internet_checksum(Bytes{packet}.subspan(14, 20)));
  store_u8(&packet[34], 8);
  return packet;
}

struct Family {
  const char* ours;
  const char* theirs;
  const char* third;
};

// What is seen at once is what a closer look finds.
WirePacket classify_both_ways(Bytes packet, const WireIdentity& self) {
  const WirePacket found = classify(packet, self);
  const Bytes at_once = plain_frame(packet, self);
  if (!at_once.empty()) {
    EXPECT_EQ(found.kind, WireKind::frame);
    EXPECT_EQ(at_once.data(), found.payload.data());
    EXPECT_EQ(at_once.size(), found.payload.size());
  }
  return found;
}

class ClassifyTest : public testing::TestWithParam<Family> {
 protected:
  WireIdentity self = us(GetParam().ours);
  WireIdentity peer = them(GetParam().theirs);
  WireKind kind(const std::vector<std::byte>& packet) {
    return classify_both_ways(packet, self).kind;
  }
};

INSTANTIATE_TEST_SUITE_P(Families, ClassifyTest,
                         testing::Values(Family{"192.0.2.1", "192.0.2.2", "192.0.2.3"},
                                         Family{"2001:db8::1", "2001:db8::2", "2001:db8::3"}));

std::vector<std::byte> handshake(int type) {
  std::vector<std::byte> message(limits::handshake_message);
  message[0] = static_cast<std::byte>(type);
  message[1] = static_cast<std::byte>(wire_version);
  return message;
}

TEST_P(ClassifyTest, TellsFramesFromHandshakesAndProbes) {
  for (int type = 0; type < 256; ++type) {
    const auto payload = handshake(type);
    const auto packet = datagram(peer, self, payload);
    const WirePacket found = classify(packet, self);
    WireKind expected = WireKind::frame;
    if (type >= 1 && type <= 4) expected = WireKind::handshake;
    if (type == 6) expected = WireKind::probe;
    EXPECT_EQ(found.kind, expected) << type;
    if (found.kind != WireKind::handshake) {
      EXPECT_TRUE(std::ranges::equal(found.payload, payload));
    }
  }
  EXPECT_EQ(kind(datagram(peer, self, {})), WireKind::frame);  // to be dropped as too short
}

// What is not whole takes no place in the queue to the main core.
TEST_P(ClassifyTest, AHandshakeIsWhole) {
  auto message = handshake(1);
  message.push_back({});
  EXPECT_EQ(kind(datagram(peer, self, message)), WireKind::bad_handshake);
  message.resize(limits::handshake_message - 1);
  EXPECT_EQ(kind(datagram(peer, self, message)), WireKind::bad_handshake);
  for (const std::size_t at : {1u, 2u, 3u}) {
    message = handshake(1);
    message[at] = std::byte{9};
    EXPECT_EQ(kind(datagram(peer, self, message)), WireKind::bad_handshake) << at;
  }
}

TEST_P(ClassifyTest, WhatIsForOthersIsForeign) {
  const auto payload = test::bytes_of({5, 1, 0, 0});
  WireIdentity other = self;
  other.mac.bytes[5] = std::byte{9};
  EXPECT_EQ(kind(datagram(peer, other, payload)), WireKind::foreign);
  other = self;
  other.endpoint.port = 7671;
  EXPECT_EQ(kind(datagram(peer, other, payload)), WireKind::foreign);
  other = self;
  other.endpoint.address = peer.endpoint.address;
  EXPECT_EQ(kind(datagram(peer, other, payload)), WireKind::foreign);
  other = self;
  other.mac.bytes.fill(std::byte{0xff});  // UDP to everybody
  EXPECT_EQ(kind(datagram(peer, other, payload)), WireKind::foreign);
  EXPECT_EQ(kind(test::make_packet(100)), WireKind::foreign);
}

TEST_P(ClassifyTest, BrokenDatagramsAreMalformed) {
  EXPECT_EQ(kind(test::make_packet(13)), WireKind::malformed);
  auto packet = datagram(peer, self, test::make_packet(64));
  packet.erase(packet.end() - 40, packet.end());
  EXPECT_EQ(kind(packet), WireKind::malformed);
}

TEST_P(ClassifyTest, NeighboursThatAskForUsAreHeard) {
  EXPECT_EQ(kind(endpoint::ask_neighbour(self.endpoint.address, peer)), WireKind::neighbour);
  const endpoint::Neighbour asker{.address = self.endpoint.address, .mac = self.mac};
  EXPECT_EQ(kind(endpoint::answer_neighbour(asker, peer)), WireKind::neighbour);
  // Those who ask for somebody else are not.
  const WireIdentity third = them(GetParam().third);
  EXPECT_EQ(kind(endpoint::ask_neighbour(third.endpoint.address, peer)), WireKind::foreign);
}

TEST(Classify, Fragments) {
  auto packet = datagram(them("192.0.2.2"), us("192.0.2.1"), test::make_packet(64));
  store_be16(&packet[14 + 6], 0x2000);
  store_be16(&packet[14 + 10], 0);
  store_be16(&packet[14 + 10], internet_checksum(Bytes{packet}.subspan(14, 20)));
  EXPECT_EQ(classify(packet, us("192.0.2.1")).kind, WireKind::fragment);
}

TEST(Classify, PingForUs) {
  EXPECT_EQ(classify(echo4(), us("192.0.2.1")).kind, WireKind::echo);
  EXPECT_EQ(classify(echo4(), us("192.0.2.9")).kind, WireKind::foreign);
  auto reply = echo4();
  store_u8(&reply[34], 0);
  EXPECT_EQ(classify(reply, us("192.0.2.1")).kind, WireKind::foreign);
}

TEST(Classify, ArpMeansNothingOnAnIpv6Wire) {
  const auto arp = endpoint::ask_neighbour(us("192.0.2.1").endpoint.address, them("192.0.2.2"));
  EXPECT_EQ(classify(arp, us("2001:db8::1")).kind, WireKind::foreign);
  EXPECT_EQ(classify(Bytes{arp}.first(30), us("192.0.2.1")).kind, WireKind::malformed);
}

// Every truncation of every packet is looked at without reading past its end (sanitizers).
TEST(Classify, SurvivesTruncation) {
  for (const char* ours : {"192.0.2.1", "2001:db8::1"}) {
    const WireIdentity self = us(ours);
    const WireIdentity peer = them(ours[0] == '1' ? "192.0.2.2" : "2001:db8::2");
    for (const auto& packet : {datagram(peer, self, test::make_packet(40)), echo4(),
                               endpoint::ask_neighbour(self.endpoint.address, peer)})
      for (std::size_t size = 0; size <= packet.size(); ++size) {
        const std::vector<std::byte> cut(packet.begin(), packet.begin() + static_cast<long>(size));
        static_cast<void>(classify(cut, self));
      }
  }
}

TEST(PlainFrame, IsSeenAtOnceAndAChangedOneOnlyWhereACloserLookAgrees) {
  const WireIdentity self = us("192.0.2.1");
  std::vector<std::byte> frame = test::make_packet(200);
  store_u8(frame.data(), static_cast<std::uint8_t>(PacketType::data));
  const auto packet = datagram(them("192.0.2.2"), self, frame);
  EXPECT_EQ(plain_frame(packet, self).size(), frame.size());
  for (std::size_t at = 0; at < packet.size() - frame.size() + 1; ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto changed = packet;
      changed[at] ^= std::byte{1} << bit;
      static_cast<void>(classify_both_ways(changed, self));
    }
  for (std::size_t length = 0; length < packet.size(); ++length)
    EXPECT_TRUE(plain_frame(Bytes{packet}.first(length), self).empty()) << length;
}

}  // namespace
}  // namespace penstock::dataplane::inbound
