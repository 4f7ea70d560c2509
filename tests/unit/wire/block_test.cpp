#include "penstock/wire/block.hpp"

#include <array>

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(BlockHeader, IsKindThenLength) {
  std::array<std::byte, block_header> bytes{};
  write_block_header(bytes.data(), {.kind = BlockKind::offload_ethernet, .length = 0x010203});
  EXPECT_EQ(to_hex(bytes), "03010203");
}

TEST(BlockHeader, EveryKindAndTheEdgesOfLengthComeBack) {
  for (unsigned kind = 0; kind < 256; ++kind) {
    for (const std::uint32_t length : {0u, 1u, 255u, 256u, 65535u, 65536u, 0xffffffu}) {
      std::array<std::byte, block_header> bytes{};
      write_block_header(bytes.data(), {.kind = static_cast<BlockKind>(kind), .length = length});
      const BlockHeader header = read_block_header(bytes.data());
      EXPECT_EQ(static_cast<unsigned>(header.kind), kind);
      EXPECT_EQ(header.length, length);
    }
  }
}

}  // namespace
}  // namespace penstock
