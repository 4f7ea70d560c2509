#include "dataplane/checksum.hpp"

#include <gtest/gtest.h>

#include "penstock/wire/outer.hpp"
#include "tests/unit/dataplane/fixture/packets.hpp"

namespace penstock::dataplane {
namespace {

VirtioNetHeader needs_checksum(std::uint16_t start, std::uint16_t offset) {
  return {.flags = VirtioNetHeader::needs_csum, .csum_start = start, .csum_offset = offset};
}

TEST(FinishChecksum, CoversTheFieldAndTheRest) {
  auto packet = test::make_packet(100);
  store_be16(&packet[34 + 6], 0x1234);  // the sum of the pseudo header
  const auto checksum = finish_checksum(packet, needs_checksum(34, 6));
  ASSERT_TRUE(checksum);
  EXPECT_EQ(checksum->at, 40u);
  // With the checksum in place of the pseudo header's sum, all sums to that of the latter.
  store_be16(&packet[40], checksum->value);
  EXPECT_EQ(internet_checksum(Bytes{packet}.subspan(34), 0x1234), 0);
}

TEST(FinishChecksum, IsNeverZero) {
  std::vector<std::byte> packet(60, std::byte{0xff});
  const auto checksum = finish_checksum(packet, needs_checksum(34, 6));
  ASSERT_TRUE(checksum);
  EXPECT_EQ(checksum->value, 0xffff);
}

TEST(FinishChecksum, RefusesToPointOutside) {
  const auto packet = test::make_packet(60);
  EXPECT_TRUE(finish_checksum(packet, needs_checksum(34, 24)));
  EXPECT_FALSE(finish_checksum(packet, needs_checksum(34, 25)));
  EXPECT_FALSE(finish_checksum(packet, needs_checksum(65535, 65535)));
}

}  // namespace
}  // namespace penstock::dataplane
