#include "penstock/wire/frame.hpp"

#include <array>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using Header = std::array<std::byte, frame_layout::header>;

Header some_header() {
  Header bytes{};
  write_frame_header(bytes, {.spi = {0x01020304}, .sequence = {0x1122334455667788}});
  return bytes;
}

TEST(FrameHeader, IsLaidOutAsTheProtocolSays) {
  EXPECT_EQ(to_hex(some_header()), "05010000010203041122334455667788");
}

TEST(FrameHeader, ReadsBackWhatWasWritten) {
  const auto header = read_frame_header(some_header());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->spi, Spi{0x01020304});
  EXPECT_EQ(header->sequence, SequenceNumber{0x1122334455667788});
}

TEST(FrameHeader, WritingLeavesNothingOfWhatWasThere) {
  Header bytes;
  bytes.fill(std::byte{0xff});
  write_frame_header(bytes, {.spi = {1}, .sequence = {0}});
  EXPECT_EQ(to_hex(bytes), "05010000000000010000000000000000");
}

TEST(FrameHeader, EveryTruncationIsTooShort) {
  const Header bytes = some_header();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto header = read_frame_header(Bytes{bytes}.first(length));
    ASSERT_FALSE(header) << length;
    EXPECT_EQ(header.error(), FrameHeaderError::too_short) << length;
  }
}

TEST(FrameHeader, EveryOtherTypeIsBad) {
  for (unsigned type = 0; type < 256; ++type) {
    Header bytes = some_header();
    bytes[frame_layout::type] = static_cast<std::byte>(type);
    const auto header = read_frame_header(bytes);
    ASSERT_EQ(header.has_value(), type == 5) << type;
    if (!header) {
      EXPECT_EQ(header.error(), FrameHeaderError::bad_type) << type;
    }
  }
}

TEST(FrameHeader, EveryOtherVersionIsBad) {
  for (unsigned version = 0; version < 256; ++version) {
    Header bytes = some_header();
    bytes[frame_layout::version] = static_cast<std::byte>(version);
    const auto header = read_frame_header(bytes);
    ASSERT_EQ(header.has_value(), version == 1) << version;
    if (!header) {
      EXPECT_EQ(header.error(), FrameHeaderError::bad_version) << version;
    }
  }
}

TEST(FrameHeader, EveryBitOfTheZeroFieldCounts) {
  for (unsigned bit = 0; bit < 16; ++bit) {
    Header bytes = some_header();
    store_be16(&bytes[frame_layout::zero], static_cast<std::uint16_t>(1u << bit));
    const auto header = read_frame_header(bytes);
    ASSERT_FALSE(header) << bit;
    EXPECT_EQ(header.error(), FrameHeaderError::bad_zero) << bit;
  }
}

TEST(FrameHeader, SpiZeroIsBad) {
  Header bytes = some_header();
  store_be32(&bytes[frame_layout::spi], 0);
  const auto header = read_frame_header(bytes);
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error(), FrameHeaderError::bad_spi);
}

TEST(Spi, IsGenerationThenSlotThenLane) {
  const Spi spi = Spi::make(0xabc, 0x1234, 0x2a);
  EXPECT_EQ(spi.value, 0xabcu << 20 | 0x1234u << 6 | 0x2au);
  EXPECT_EQ(spi.slot(), 0x1234u);
  EXPECT_EQ(spi.lane(), 0x2au);
  EXPECT_EQ(spi.base(), Spi::make(0xabc, 0x1234, 0));
}

TEST(Spi, FieldsDoNotRunIntoEachOther) {
  const Spi spi = Spi::make(0xfff, limits::max_sessions - 1, limits::max_lanes - 1);
  EXPECT_EQ(spi.value, 0xffffffffu);
  EXPECT_EQ(spi.slot(), limits::max_sessions - 1);
  EXPECT_EQ(spi.lane(), limits::max_lanes - 1);
  EXPECT_EQ(spi.base().lane(), 0u);
  EXPECT_EQ(spi.base().slot(), limits::max_sessions - 1);
}

TEST(FrameShape, DividesTheFrame) {
  constexpr FrameShape shape{.size = 1472, .tag = 16};
  EXPECT_EQ(shape.plaintext(), 1440u);
  EXPECT_EQ(shape.payload(), 1436u);
}

TEST(PacketType, OnlyTheFirstFourAreHandshakes) {
  for (unsigned type = 0; type < 256; ++type) {
    EXPECT_EQ(is_handshake(static_cast<std::uint8_t>(type)), type >= 1 && type <= 4) << type;
  }
}

}  // namespace
}  // namespace penstock
