#include "penstock/base/bytes.hpp"

#include <array>

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(Bytes, big_endian_puts_the_most_significant_byte_first) {
  std::array<std::byte, 8> at{};
  store_be64(at.data(), 0x0123456789abcdef);
  EXPECT_EQ(to_hex(at), "0123456789abcdef");
  EXPECT_EQ(load_be64(at.data()), 0x0123456789abcdefu);
  EXPECT_EQ(load_be32(at.data()), 0x01234567u);
  EXPECT_EQ(load_be24(at.data()), 0x012345u);
  EXPECT_EQ(load_be16(at.data()), 0x0123u);
  EXPECT_EQ(load_u8(at.data()), 0x01u);
}

TEST(Bytes, stores_touch_their_own_bytes_only) {
  std::array<std::byte, 4> at{};
  store_be24(at.data(), 0xa1b2c3);
  EXPECT_EQ(to_hex(at), "a1b2c300");
  store_be16(at.data() + 2, 0xd4e5);
  EXPECT_EQ(to_hex(at), "a1b2d4e5");
  store_u8(at.data(), 0xff);
  EXPECT_EQ(to_hex(at), "ffb2d4e5");
}

TEST(Bytes, little_endian_puts_the_least_significant_byte_first) {
  std::array<std::byte, 2> at{};
  store_le16(at.data(), 0x1234);
  EXPECT_EQ(to_hex(at), "3412");
  EXPECT_EQ(load_le16(at.data()), 0x1234u);
}

TEST(Bytes, hex_of_nothing_is_empty) { EXPECT_EQ(to_hex({}), ""); }

}  // namespace
}  // namespace penstock
