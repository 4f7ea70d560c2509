#include "dataplane/endpoint/endpoint.hpp"

#include <gtest/gtest.h>

#include "penstock/wire/outer.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"

namespace penstock::dataplane::endpoint {
namespace {

using namespace std::chrono_literals;

constexpr MacAddress our_mac{{std::byte{2}, {}, {}, {}, {}, std::byte{1}}};
constexpr MacAddress their_mac{{std::byte{2}, {}, {}, {}, {}, std::byte{2}}};

struct Recorder : EndpointSink {
  void transmit(Bytes packet) override { sent.emplace_back(packet.begin(), packet.end()); }
  void hop_moved(const IpAddress& hop, const MacAddress& mac) override {
    moved.emplace_back(hop, mac);
  }
  void probe_arrived(Bytes datagram) override {
    probes.emplace_back(datagram.begin(), datagram.end());
  }
  void handshake_arrived(const penstock::Endpoint& from, Bytes datagram) override {
    handshakes.emplace_back(from, Packet{datagram.begin(), datagram.end()});
  }
  std::vector<Packet> sent;
  std::vector<Packet> probes;
  std::vector<std::pair<IpAddress, MacAddress>> moved;
  std::vector<std::pair<penstock::Endpoint, Packet>> handshakes;
};

class EndpointTest : public testing::TestWithParam<const char*> {
 protected:
  std::string network = GetParam();
  WireIdentity us{our_mac, *parse_endpoint(network + "1", 7670)};
  WireIdentity them{their_mac, *parse_endpoint(network + "2", 7670)};
  Recorder out;
  WireEndpoint endpoint{us, NextHops{*parse_prefix(network + "0/64"), std::nullopt}, out};
  Time now = 1000s;
};

INSTANTIATE_TEST_SUITE_P(Families, EndpointTest, testing::Values("2001:db8::"));

TEST_P(EndpointTest, AnswersWhoAsks) {
  endpoint.on_packet(PuntKind::neighbour, ask_neighbour(us.endpoint.address, them), now);
  ASSERT_EQ(out.sent.size(), 1u);
  EXPECT_EQ(read_neighbour(out.sent[0], them)->mac, our_mac);
  EXPECT_TRUE(out.moved.empty());  // nobody needs that hop
}

TEST_P(EndpointTest, ADatagramWaitsForItsNextHop) {
  const auto message = test::bytes_of({1, 2, 3});
  endpoint.send(them.endpoint, message, now);
  ASSERT_EQ(out.sent.size(), 1u);  // the question
  const auto who = read_neighbour(out.sent[0], them);
  ASSERT_TRUE(who && who->asks_for_us);
  endpoint.on_packet(PuntKind::neighbour, answer_neighbour(*who, them), now);
  ASSERT_EQ(out.moved.size(), 1u);
  EXPECT_EQ(out.moved[0], std::pair(them.endpoint.address, their_mac));
  ASSERT_EQ(out.sent.size(), 2u);
  const auto datagram = parse_udp(out.sent[1]);
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->source, us.endpoint);
  EXPECT_EQ(datagram->destination, them.endpoint);
  EXPECT_TRUE(std::ranges::equal(datagram->payload, message));

  endpoint.send(them.endpoint, message, now);  // now at once
  EXPECT_EQ(out.sent.size(), 3u);
}

TEST_P(EndpointTest, ADatagramDoesNotWaitForever) {
  for (int i = 0; i < 100; ++i) endpoint.send(them.endpoint, test::bytes_of({i}), now);
  const std::size_t questions = out.sent.size();
  endpoint.on_packet(PuntKind::neighbour, ask_neighbour(us.endpoint.address, them), now);
  EXPECT_LE(out.sent.size() - questions, 17u);  // the answer, and the few that waited

  Recorder later_out;
  WireEndpoint later{us, NextHops{*parse_prefix(network + "0/64"), std::nullopt}, later_out};
  later.send(them.endpoint, test::bytes_of({1}), now);
  now += 1min;
  later.on_timer(now);
  later_out.sent.clear();
  later.hops().pin(them.endpoint.address, now);
  later.on_packet(PuntKind::neighbour, ask_neighbour(us.endpoint.address, them), now);
  EXPECT_EQ(later_out.sent.size(), 1u);
}

TEST_P(EndpointTest, WhatLeadsNowhereIsDropped) {
  endpoint.send(*parse_endpoint("203.0.113.1:7670", 0), test::bytes_of({1}), now);
  EXPECT_TRUE(out.sent.empty());
  EXPECT_EQ(endpoint.deadline(), Time::max());
}

TEST_P(EndpointTest, PassesHandshakesUp) {
  const auto message = test::bytes_of({1, 2, 3});
  OuterHeader header = make_outer_header({.source_mac = their_mac,
                                          .destination_mac = our_mac,
                                          .source = them.endpoint,
                                          .destination = us.endpoint},
                                         message.size());
  Packet packet(header.view().begin(), header.view().end());
  packet.insert(packet.end(), message.begin(), message.end());
  finish_udp6_checksum(packet);
  endpoint.on_packet(PuntKind::handshake, packet, now);
  ASSERT_EQ(out.handshakes.size(), 1u);
  EXPECT_EQ(out.handshakes[0].first, them.endpoint);
  EXPECT_EQ(out.handshakes[0].second, message);
}

}  // namespace
}  // namespace penstock::dataplane::endpoint
