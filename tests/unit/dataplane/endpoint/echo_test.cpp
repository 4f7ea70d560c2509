#include <gtest/gtest.h>

#include "penstock/wire/outer.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"

#include "dataplane/endpoint/neighbour_discovery.hpp"
#include "dataplane/endpoint/packets.hpp"

namespace penstock::dataplane::endpoint {
namespace {

const WireIdentity us4{{{std::byte{2}}}, *parse_endpoint("192.0.2.1", 7670)};
const WireIdentity us6{{{std::byte{2}}}, *parse_endpoint("2001:db8::1", 7670)};

Packet request4(std::size_t body = 40) {
  Packet packet = test::make_packet(14 + 20 + 8 + body, ethertype_ipv4);
  const auto ip = test::bytes_of({0x45, 0, 0,   0, 1, 2, 0, 0, 1, 1, 0,    0,    192, 0,
                                  2,    9, 192, 0, 2, 1, 8, 0, 0, 0, 0x12, 0x34, 0,   1});
  std::ranges::copy(ip, packet.begin() + 14);
  store_be16(&packet[16], static_cast<std::uint16_t>(packet.size() - 14));
  store_be16(&packet[24], internet_checksum(Bytes{packet}.subspan(14, 20)));
  store_be16(&packet[36], internet_checksum(Bytes{packet}.subspan(34)));
  return packet;
}

Packet request6() {
  Packet packet = test::make_packet(14 + 40 + 8 + 40, ethertype_ipv6);
  const auto start = test::bytes_of({0x60, 0, 0, 0, 0, 48, 58, 64});
  std::ranges::copy(start, packet.begin() + 14);
  std::ranges::copy(parse_ip("2001:db8::9")->bytes, packet.begin() + 22);
  std::ranges::copy(us6.endpoint.address.bytes, packet.begin() + 38);
  const auto icmp = test::bytes_of({128, 0, 0, 0, 0x12, 0x34, 0, 1});
  std::ranges::copy(icmp, packet.begin() + 54);
  store_be16(&packet[56], icmpv6_checksum(packet));
  return packet;
}

TEST(Echo, AnswersOverIpv4) {
  const Packet request = request4();
  const auto reply = answer_echo(request, us4);
  ASSERT_TRUE(reply);
  const Bytes bytes{*reply};
  EXPECT_TRUE(std::ranges::equal(bytes.first(6), Bytes{request}.subspan(6, 6)));
  EXPECT_TRUE(std::ranges::equal(bytes.subspan(6, 6), us4.mac.bytes));
  EXPECT_EQ(IpAddress::from(bytes.subspan(26, 4)), *parse_ip("192.0.2.1"));
  EXPECT_EQ(IpAddress::from(bytes.subspan(30, 4)), *parse_ip("192.0.2.9"));
  EXPECT_EQ(load_u8(&bytes[34]), 0);
  EXPECT_EQ(internet_checksum(bytes.subspan(14, 20)), 0);
  EXPECT_EQ(internet_checksum(bytes.subspan(34)), 0);
  EXPECT_TRUE(std::ranges::equal(bytes.subspan(38), Bytes{request}.subspan(38)));
}

TEST(Echo, AnswersOverIpv6) {
  const Packet request = request6();
  const auto reply = answer_echo(request, us6);
  ASSERT_TRUE(reply);
  EXPECT_EQ(load_u8(&(*reply)[54]), 129);
  EXPECT_EQ(icmpv6_checksum(*reply), 0);
  EXPECT_EQ(IpAddress::from(Bytes{*reply}.subspan(38, 16)), *parse_ip("2001:db8::9"));
}

TEST(Echo, DoesNotSendPaddingBack) {
  Packet request = request4(0);
  const std::size_t size = request.size();
  request.resize(60);
  const auto reply = answer_echo(request, us4);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->size(), size);
}

TEST(Echo, RefusesWhatIsBroken) {
  for (const bool is_v4 : {true, false}) {
    const Packet good = is_v4 ? request4() : request6();
    const WireIdentity& us = is_v4 ? us4 : us6;
    for (std::size_t size = 14; size < good.size(); ++size)
      EXPECT_FALSE(answer_echo(Bytes{good}.first(size), us)) << size;
    Packet flipped = good;
    flipped.back() ^= std::byte{1};
    EXPECT_FALSE(answer_echo(flipped, us));
    EXPECT_FALSE(answer_echo(*answer_echo(good, us), us));  // a reply is no request
  }
}

}  // namespace
}  // namespace penstock::dataplane::endpoint
