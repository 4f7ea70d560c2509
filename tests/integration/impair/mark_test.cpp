#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "path.hpp"

namespace impair {
namespace {

// An Ethernet packet with an IPv4 header whose checksum is right (the example of RFC 1071's many
// explanations: 192.168.0.1 to 192.168.0.199, checksum 0xb861 with TOS 0).
std::vector<unsigned char> v4(unsigned char tos) {
  std::vector<unsigned char> packet(14 + 20);
  packet[12] = 0x08;
  const std::vector<unsigned char> ip{0x45, tos, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                      0,    0,   0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
  std::ranges::copy(ip, packet.begin() + 14);
  const unsigned checksum = 0xb861 - tos;
  packet[24] = static_cast<unsigned char>(checksum >> 8);
  packet[25] = static_cast<unsigned char>(checksum);
  return packet;
}

unsigned sum_of(const std::vector<unsigned char>& packet) {
  unsigned sum = 0;
  for (std::size_t i = 14; i < 34; i += 2)
    sum += static_cast<unsigned>(packet[i] << 8 | packet[i + 1]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

TEST(MarkCe, v4_that_can_bear_it_is_marked_and_its_checksum_holds) {
  for (unsigned tos = 0; tos < 256; ++tos) {
    auto packet = v4(static_cast<unsigned char>(tos));
    ASSERT_EQ(sum_of(packet), 0xffffU);
    const bool can = (tos & 3) == 1 || (tos & 3) == 2;
    EXPECT_EQ(mark_ce(packet), can);
    EXPECT_EQ(packet[15], can ? tos | 3 : tos);
    EXPECT_EQ(sum_of(packet), 0xffffU) << tos;
  }
}

TEST(MarkCe, v6_that_can_bear_it_is_marked) {
  for (unsigned ecn = 0; ecn < 4; ++ecn) {
    std::vector<unsigned char> packet(14 + 40);
    packet[12] = 0x86, packet[13] = 0xdd;
    packet[14] = 0x6b, packet[15] = static_cast<unsigned char>(0x80 | ecn << 4 | 0x0a);
    const bool can = ecn == 1 || ecn == 2;
    EXPECT_EQ(mark_ce(packet), can);
    EXPECT_EQ(packet[14], 0x6b);
    EXPECT_EQ(packet[15], can ? 0xbaU : (0x8aU | ecn << 4));
  }
}

TEST(MarkCe, what_is_no_ip_or_too_short_stays_as_it_is) {
  std::vector<unsigned char> arp(60, 0xaa);
  arp[12] = 0x08, arp[13] = 0x06;
  const auto before = arp;
  EXPECT_FALSE(mark_ce(arp));
  EXPECT_EQ(arp, before);
  std::vector<unsigned char> cut(20, 0x02);
  cut[12] = 0x08, cut[13] = 0x00;
  EXPECT_FALSE(mark_ce(cut));
}

}  // namespace
}  // namespace impair
