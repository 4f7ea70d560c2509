// Blocks: what a frame's payload is made of. u8 kind || be24 length || bytes.
// A block header never straddles frames: fewer than 4 bytes left in a frame are
// padding. A block's bytes may continue through any number of frames.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/base/bytes.hpp"

namespace penstock {

enum class BlockKind : std::uint8_t {
  padding = 0,           // to the end of the frame; this one byte suffices
  ethernet = 1,          // an Ethernet packet without its frame check sequence
  ip = 2,                // an IP packet
  offload_ethernet = 3,  // a virtio-net header (10 bytes, little-endian), then an Ethernet packet
  control = 4,           // between the two sites
};

inline constexpr std::size_t block_header = 4;

// The first byte of a control block that is not empty; an empty one is a keepalive.
enum class ControlType : std::uint8_t {
  handshake = 1,     // a whole handshake message follows
  challenge = 2,     // 16 bytes to be sent back: is the address good that this went to?
  response = 3,      // the bytes of a challenge
  report = 4,        // what became of the far side's frames (docs/protocol.md, "Reports")
  probe = 5,         // of a path probe, never in a frame: penstock/wire/path_probe.hpp
  probe_answer = 6,  // likewise
};
inline constexpr std::size_t control_header = 1;
inline constexpr std::size_t challenge_nonce = 16;

struct BlockHeader {
  BlockKind kind{};  // may hold a number that no kind has: skip by length, count
  std::uint32_t length = 0;
};

inline void write_block_header(std::byte* out, BlockHeader header) {
  store_u8(out, static_cast<std::uint8_t>(header.kind));
  store_be24(out + 1, header.length);
}

[[nodiscard]] inline BlockHeader read_block_header(const std::byte* in) {
  return {.kind = static_cast<BlockKind>(load_u8(in)), .length = load_be24(in + 1)};
}

}  // namespace penstock
