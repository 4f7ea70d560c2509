#include "penstock/wire/outer.hpp"

#include <array>

#include <gtest/gtest.h>

#include "packets.hpp"

namespace penstock {
namespace {

using namespace test;

MacAddress mac(unsigned last) {
  MacAddress address;
  address.bytes = {std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(last)};
  return address;
}

Endpoint endpoint_v4(unsigned host, std::uint16_t port) {
  Packet bytes;
  append(bytes, {192, 0, 2, host});
  return {.address = IpAddress::from(bytes), .port = port};
}

Endpoint endpoint_v6(unsigned host, std::uint16_t port) {
  Packet bytes;
  append(bytes, {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host});
  return {.address = IpAddress::from(bytes), .port = port};
}

OuterAddresses addresses_v4() {
  return {mac(2), mac(1), endpoint_v4(1, 0x1234), endpoint_v4(2, 7670)};
}

OuterAddresses addresses_v6() {
  return {mac(2), mac(1), endpoint_v6(1, 0x1234), endpoint_v6(2, 7670)};
}

Packet datagram(const OuterAddresses& addresses, Bytes payload) {
  const OuterHeader header = make_outer_header(addresses, payload.size());
  Packet packet;
  append(packet, header.view());
  append(packet, payload);
  return packet;
}

Packet payload_of(std::size_t length) {
  Packet payload(length);
  for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<std::byte>(i * 7 + 1);
  return payload;
}

OuterError error_of(Bytes packet) {
  const auto result = parse_udp(packet);
  EXPECT_FALSE(result);
  return result ? OuterError{} : result.error();
}

// --- checksum ---------------------------------------------------------------------------

TEST(InternetChecksum, Rfc1071Example) {
  Packet data;
  append(data, {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7});
  EXPECT_EQ(internet_checksum(data), 0x220d);
}

TEST(InternetChecksum, EdgesOfLength) {
  Packet data;
  EXPECT_EQ(internet_checksum(data), 0xffff);
  append(data, {0x12});
  EXPECT_EQ(internet_checksum(data), 0xffff - 0x1200);
  append(data, {0x34});
  EXPECT_EQ(internet_checksum(data), 0xffff - 0x1234);
  append(data, {0x56});
  EXPECT_EQ(internet_checksum(data), 0xffff - (0x1234 + 0x5600));
}

TEST(InternetChecksum, CarriesAreFoldedUntilNoneIsLeft) {
  const Packet ones(65534, std::byte{0xff});
  EXPECT_EQ(internet_checksum(ones), 0);
  EXPECT_EQ(internet_checksum(ones, 0xffffffff), 0);
}

TEST(InternetChecksum, AddsTheGivenSum) {
  Packet data;
  append(data, {0x12, 0x34});
  EXPECT_EQ(internet_checksum(data, 0x1111), 0xffff - 0x2345);
}

TEST(InternetChecksum, IsZeroOverItsOwnResult) {
  Packet packet = ethernet(ethertype_ipv4);
  append_ipv4(packet, 17, 100);
  EXPECT_EQ(internet_checksum(Bytes{packet}.subspan(14, 20)), 0);
}

// --- templates ----------------------------------------------------------------------------

TEST(OuterHeader, Ipv4IsWrittenAsTheRfcsSay) {
  const OuterHeader header = make_outer_header(addresses_v4(), 1472);
  EXPECT_EQ(header.length, 42);
  EXPECT_EQ(to_hex(header.view()), "020000000001"
                                   "020000000002"
                                   "0800"
                                   "4500"
                                   "05dc"
                                   "0000"
                                   "4000"
                                   "40"
                                   "11"
                                   "b10d"
                                   "c0000201"
                                   "c0000202"
                                   "1234"
                                   "1df6"
                                   "05c8"
                                   "0000");
}

TEST(OuterHeader, Ipv6IsWrittenAsTheRfcsSay) {
  const OuterHeader header = make_outer_header(addresses_v6(), 1452);
  EXPECT_EQ(header.length, 62);
  EXPECT_EQ(to_hex(header.view()), "020000000001"
                                   "020000000002"
                                   "86dd"
                                   "60000000"
                                   "05b4"
                                   "11"
                                   "40"
                                   "20010db8000000000000000000000001"
                                   "20010db8000000000000000000000002"
                                   "1234"
                                   "1df6"
                                   "05b4"
                                   "0000");
}

// DSCP and ECN are one byte of both versions' headers, though not at one place.
std::uint8_t traffic_class_of(Bytes packet) {
  const bool is_v4 = load_be16(&packet[12]) == ethertype_ipv4;
  return is_v4 ? load_u8(&packet[15]) : static_cast<std::uint8_t>(load_be16(&packet[14]) >> 4);
}

TEST(OuterHeader, TrafficClassIsDscpThenEcn) {
  EXPECT_EQ(traffic_class(0, false), 0);
  EXPECT_EQ(traffic_class(46, false), 0xb8);
  EXPECT_EQ(traffic_class(46, true), 0xba);  // ECT(0)
  for (OuterAddresses addresses : {addresses_v4(), addresses_v6()}) {
    const Packet plain = datagram(addresses, payload_of(30));
    addresses.traffic_class = traffic_class(46, true);
    Packet packet = datagram(addresses, payload_of(30));
    EXPECT_EQ(traffic_class_of(packet), 0xba);
    EXPECT_TRUE(parse_udp(packet));  // the header's checksum is right
    set_outer_dscp(packet, 0);
    EXPECT_EQ(traffic_class_of(packet), 0x02);
    set_outer_dscp(packet, 63);
    EXPECT_EQ(traffic_class_of(packet), 0xfe);
    EXPECT_TRUE(parse_udp(packet));
    addresses.traffic_class = 0xfe;
    EXPECT_EQ(packet, datagram(addresses, payload_of(30)));  // and nothing else has changed
    EXPECT_EQ(traffic_class_of(plain), 0);
  }
}

TEST(OuterHeader, ParsesBackOverBothVersions) {
  for (const OuterAddresses& addresses : {addresses_v4(), addresses_v6()}) {
    for (const std::size_t length : {0, 1, 1472, 65535 - 20 - 8}) {
      const Packet payload = payload_of(length);
      const Packet packet = datagram(addresses, payload);
      const auto udp = parse_udp(packet);
      ASSERT_TRUE(udp) << length;
      EXPECT_EQ(udp->source, addresses.source);
      EXPECT_EQ(udp->destination, addresses.destination);
      EXPECT_TRUE(std::ranges::equal(udp->payload, payload));
      EXPECT_EQ(udp->payload.data(), packet.data() + packet.size() - length);
    }
  }
}

TEST(OuterHeaderDeathTest, MixedVersionsStopTheProcess) {
  OuterAddresses addresses = addresses_v4();
  addresses.destination = addresses_v6().destination;
  EXPECT_DEATH((void)make_outer_header(addresses, 10), "IP version");
}

TEST(OuterHeaderDeathTest, PayloadBeyondAnIpPacketStopsTheProcess) {
  EXPECT_DEATH((void)make_outer_header(addresses_v4(), 65536 - 28), "payload");
}

// --- UDP checksum over IPv6 -----------------------------------------------------------------

TEST(FinishUdp6Checksum, VerifiesAndDetectsEveryFlippedByte) {
  for (const std::size_t length : {0, 1, 2, 3, 57}) {
    Packet packet = datagram(addresses_v6(), payload_of(length));
    finish_udp6_checksum(packet);
    EXPECT_NE(load_be16(&packet[14 + 40 + 6]), 0);
    ASSERT_TRUE(parse_udp(packet)) << length;
    for (std::size_t at = 14 + 8; at < packet.size(); ++at) {
      if (at >= 14 + 40 + 4 && at < 14 + 40 + 8) continue;  // length and checksum itself
      packet[at] ^= std::byte{0x10};
      EXPECT_EQ(error_of(packet), OuterError::bad_checksum) << at;
      packet[at] ^= std::byte{0x10};
    }
  }
}

TEST(FinishUdp6Checksum, ZeroBecomesAllOnes) {
  Packet payload(2);
  Packet packet = datagram(addresses_v6(), payload);
  finish_udp6_checksum(packet);
  // Adding the checksum itself to the payload makes the sum come out as zero.
  store_be16(&packet[packet.size() - 2], load_be16(&packet[14 + 40 + 6]));
  finish_udp6_checksum(packet);
  EXPECT_EQ(load_be16(&packet[14 + 40 + 6]), 0xffff);
  EXPECT_TRUE(parse_udp(packet));
}

TEST(FinishUdp6Checksum, LeavesIpv4Alone) {
  const Packet before = datagram(addresses_v4(), payload_of(100));
  Packet packet = before;
  finish_udp6_checksum(packet);
  EXPECT_EQ(packet, before);
}

TEST(FinishUdp6Checksum, OverwritesAnOldChecksum) {
  Packet packet = datagram(addresses_v6(), payload_of(100));
  finish_udp6_checksum(packet);
  const Packet once = packet;
  finish_udp6_checksum(packet);
  EXPECT_EQ(packet, once);
}

// --- parsing ----------------------------------------------------------------------------------

TEST(ParseUdp, EveryTruncationIsRefused) {
  for (const OuterAddresses& addresses : {addresses_v4(), addresses_v6()}) {
    const Packet packet = datagram(addresses, payload_of(20));
    for (std::size_t length = 0; length < packet.size(); ++length) {
      const Packet cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_EQ(error_of(cut), OuterError::malformed) << length;
    }
  }
}

TEST(ParseUdp, EthernetPaddingIsCutOff) {
  for (const OuterAddresses& addresses : {addresses_v4(), addresses_v6()}) {
    Packet packet = datagram(addresses, payload_of(1));
    packet.resize(90);
    const auto udp = parse_udp(packet);
    ASSERT_TRUE(udp);
    EXPECT_EQ(udp->payload.size(), 1u);
  }
}

TEST(ParseUdp, OtherEthertypesAreNotForUs) {
  Packet packet = udp4(10);
  for (const std::uint16_t ethertype : {ethertype_arp, ethertype_vlan, std::uint16_t{46}}) {
    store_be16(&packet[12], ethertype);
    EXPECT_EQ(error_of(packet), OuterError::not_for_us);
  }
}

TEST(ParseUdp, OtherProtocolsAreNotForUs) {
  EXPECT_EQ(error_of(tcp4(10)), OuterError::not_for_us);
  EXPECT_EQ(error_of(tcp6(10)), OuterError::not_for_us);
}

TEST(ParseUdp, BrokenIpv4HeadersAreMalformed) {
  for (const unsigned first : {0x55u, 0x44u, 0x4fu, 0x65u}) {
    Packet packet = udp4(10);
    packet[14] = static_cast<std::byte>(first);
    EXPECT_EQ(error_of(packet), OuterError::malformed) << first;
  }
  for (const auto total :
       std::to_array<std::uint16_t>({0, 19, 39, 0xffff})) {  // the packet holds 38
    Packet packet = udp4(10);
    store_be16(&packet[16], total);
    EXPECT_EQ(error_of(packet), OuterError::malformed) << total;
  }
}

TEST(ParseUdp, EveryFlippedBitOfAnIpv4HeaderIsRefused) {
  const Packet packet = udp4(10);
  for (std::size_t bit = 0; bit < 8 * ipv4_header; ++bit) {
    Packet flipped = packet;
    flipped[14 + bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    EXPECT_FALSE(parse_udp(flipped)) << bit;
  }
}

TEST(ParseUdp, BadIpv4ChecksumIsNamed) {
  Packet packet = udp4(10);
  packet[14 + 8] ^= std::byte{1};  // TTL
  EXPECT_EQ(error_of(packet), OuterError::bad_checksum);
}

Packet with_ipv4_word(Packet packet, std::size_t at, std::uint16_t value) {
  store_be16(&packet[14 + at], value);
  store_be16(&packet[14 + 10], 0);
  store_be16(&packet[14 + 10], internet_checksum(Bytes{packet}.subspan(14, 20)));
  return packet;
}

TEST(ParseUdp, Ipv4FragmentsAreRefused) {
  for (const auto bits : std::to_array<std::uint16_t>({0x2000, 0x0001, 0x1fff, 0x3000})) {
    EXPECT_EQ(error_of(with_ipv4_word(udp4(10), 6, bits)), OuterError::fragment) << bits;
  }
  EXPECT_TRUE(parse_udp(with_ipv4_word(udp4(10), 6, 0x0000)));
  EXPECT_TRUE(parse_udp(with_ipv4_word(udp4(10), 6, 0x4000)));
}

TEST(ParseUdp, FragmentsOfOtherProtocolsAreNotForUs) {
  EXPECT_EQ(error_of(with_ipv4_word(tcp4(10), 6, 0x2000)), OuterError::not_for_us);
}

TEST(ParseUdp, Ipv6FragmentsAreRefused) {
  Packet packet = udp6(10);
  packet[14 + 6] = std::byte{44};
  EXPECT_EQ(error_of(packet), OuterError::fragment);
}

TEST(ParseUdp, Ipv4OptionsAreSkipped) {
  Packet packet = ethernet(ethertype_ipv4);
  append_ipv4(packet, 17, 4 + 8 + 3);
  packet[14] = std::byte{0x46};
  append(packet, {1, 1, 1, 0});
  append_udp(packet, 3);
  store_be16(&packet[24], 0);
  store_be16(&packet[24], internet_checksum(Bytes{packet}.subspan(14, 24)));
  const auto udp = parse_udp(packet);
  ASSERT_TRUE(udp);
  EXPECT_EQ(udp->payload.size(), 3u);
}

TEST(ParseUdp, UdpLengthEdges) {
  for (const Packet& whole : {udp4(10), udp6(10)}) {
    const std::size_t length_at = whole.size() - 10 - 4;
    for (const auto length : std::to_array<std::uint16_t>({0, 7, 19, 0xffff})) {
      Packet packet = whole;
      store_be16(&packet[length_at], length);
      EXPECT_EQ(error_of(packet), OuterError::malformed) << length;
    }
    for (const auto length : std::to_array<std::uint16_t>({8, 17, 18})) {
      Packet packet = whole;
      store_be16(&packet[length_at], length);
      ASSERT_TRUE(parse_udp(packet)) << length;
      EXPECT_EQ(parse_udp(packet)->payload.size(), length - 8u);
    }
  }
}

TEST(ParseUdp, BrokenIpv6HeadersAreMalformed) {
  Packet packet = udp6(10);
  packet[14] = std::byte{0x40};
  EXPECT_EQ(error_of(packet), OuterError::malformed);
  for (const auto length : std::to_array<std::uint16_t>({0, 7, 19})) {
    packet = udp6(10);
    store_be16(&packet[14 + 4], length);
    EXPECT_EQ(error_of(packet), OuterError::malformed) << length;
  }
}

TEST(ParseUdp, NonZeroIpv4UdpChecksumIsVerified) {
  Packet packet = udp4(11);
  const Bytes udp = Bytes{packet}.subspan(34);
  const std::uint32_t pseudo =
      pseudo_header_sum(endpoint_v4(1, 0).address, endpoint_v4(2, 0).address, 17, udp.size());
  store_be16(&packet[34 + 6], internet_checksum(udp, pseudo));
  EXPECT_TRUE(parse_udp(packet));
  packet.back() ^= std::byte{1};
  EXPECT_EQ(error_of(packet), OuterError::bad_checksum);
}

}  // namespace
}  // namespace penstock
