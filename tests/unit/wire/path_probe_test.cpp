#include "penstock/wire/path_probe.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/wire/frame.hpp"

namespace penstock {
namespace {

std::vector<std::byte> written(const PathProbe& probe, std::size_t size = 400) {
  std::vector<std::byte> text(size, std::byte{0xaa});
  write_path_probe(text, probe);
  return text;
}

TEST(PathProbe, SaysWhatTheProtocolSays) {
  const auto text = written({.is_answer = true, .id = 0x0102030405060708, .size = 1472});
  EXPECT_EQ(to_hex(Bytes{text}.first(19)), "00000000"
                                           "0400000b"
                                           "06"
                                           "0102030405060708"
                                           "05c0");
  for (const std::byte rest : Bytes{text}.subspan(19)) EXPECT_EQ(rest, std::byte{});
}

TEST(PathProbe, ReadsWhatItWrites) {
  for (const bool is_answer : {false, true}) {
    const PathProbe probe{.is_answer = is_answer, .id = ~std::uint64_t{0}, .size = 9000};
    EXPECT_EQ(read_path_probe(written(probe)), probe);
  }
}

TEST(PathProbe, AnythingElseIsNone) {
  const auto good = written({.id = 7, .size = 300});
  for (std::size_t at = 0; at < 9; ++at) {
    auto text = good;
    text[at] ^= std::byte{0x40};
    EXPECT_EQ(read_path_probe(text), std::nullopt) << at;
  }
  for (std::size_t size = 0; size < 19; ++size)
    EXPECT_EQ(read_path_probe(Bytes{good}.first(size)), std::nullopt) << size;
}

TEST(PathProbe, ItsHeaderIsAFramesButForTheType) {
  std::array<std::byte, frame_layout::header> header{};
  write_frame_header(header, {.spi = {0x01020340}, .sequence = {5}}, PacketType::path_probe);
  EXPECT_EQ(to_hex(header), "06010000"
                            "01020340"
                            "0000000000000005");
  EXPECT_EQ(read_frame_header(header), std::unexpected{FrameHeaderError::bad_type});
  const auto read = read_frame_header(header, PacketType::path_probe);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->spi, (Spi{0x01020340}));
  EXPECT_EQ(read->sequence, (SequenceNumber{5}));
}

}  // namespace
}  // namespace penstock
