// The frame: what travels on the wire, one fixed size for a session.
//
//   offset 0   type      u8    PacketType; the first byte of every UDP payload
//          1   version   u8    1
//          2   zero      u16
//          4   SPI       be32  chosen by the receiver, never 0
//          8   sequence  be64  per SA, from 0
//         16   ciphertext      frame size - 16 - tag
//          n   tag
//
// Plaintext (where the ciphertext stands): be16 first || be16 flags || blocks.
// `first` is the offset, from the end of those 4 bytes, of the first block that starts
// in this frame; the number of bytes behind them if none does. Source: docs/protocol.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"

namespace penstock {

inline constexpr std::uint8_t wire_version = 1;

// The first byte of every UDP payload between two sites.
enum class PacketType : std::uint8_t {
  handshake_1 = 1,
  handshake_2 = 2,
  handshake_3 = 3,
  handshake_4 = 4,
  data = 5,
  path_probe = 6,
};

[[nodiscard]] constexpr bool is_handshake(std::uint8_t type) { return type >= 1 && type <= 4; }

namespace frame_layout {
inline constexpr std::size_t type = 0;
inline constexpr std::size_t version = 1;
inline constexpr std::size_t zero = 2;
inline constexpr std::size_t spi = 4;
inline constexpr std::size_t sequence = 8;
inline constexpr std::size_t header = 16;
inline constexpr std::size_t first = 0;     // in the plaintext
inline constexpr std::size_t flags = 2;     // in the plaintext
inline constexpr std::size_t prologue = 4;  // first and flags
}  // namespace frame_layout

// The number by which a frame names its SA: random generation | session slot | lane.
struct Spi {
  std::uint32_t value = 0;

  [[nodiscard]] static constexpr Spi make(std::uint32_t generation, std::uint32_t slot,
                                          std::uint32_t lane) {
    return Spi{generation << (limits::spi_slot_bits + limits::spi_lane_bits) |
               slot << limits::spi_lane_bits | lane};
  }
  [[nodiscard]] constexpr std::uint32_t lane() const { return value & (limits::max_lanes - 1); }
  [[nodiscard]] constexpr std::uint32_t slot() const {
    return value >> limits::spi_lane_bits & (limits::max_sessions - 1);
  }
  // The SPI of lane 0 of the same session.
  [[nodiscard]] constexpr Spi base() const { return Spi{value & ~(limits::max_lanes - 1)}; }
  bool operator==(const Spi&) const = default;
};

struct SequenceNumber {
  std::uint64_t value = 0;
  auto operator<=>(const SequenceNumber&) const = default;
};

// Never used: it has no successor. No SA gets that far (limits::hard_frames); receivers
// refuse it rather than let their counters wrap.
inline constexpr SequenceNumber last_sequence{~std::uint64_t{0}};

struct FrameHeader {
  Spi spi;
  SequenceNumber sequence;
};

enum class FrameHeaderError : std::uint8_t { too_short, bad_type, bad_version, bad_zero, bad_spi };

// Writes the 16 header bytes of a data frame or, the same but for their type, of a path probe.
void write_frame_header(std::span<std::byte, frame_layout::header> out, FrameHeader header,
                        PacketType type = PacketType::data);
// Checks everything that can be checked without a key.
[[nodiscard]] std::expected<FrameHeader, FrameHeaderError> read_frame_header(
    Bytes frame, PacketType type = PacketType::data);

// How a frame of a session divides; everything follows from its size and tag length.
struct FrameShape {
  std::uint16_t size = 0;  // header, ciphertext and tag: the UDP payload
  std::uint8_t tag = 0;

  [[nodiscard]] constexpr std::size_t plaintext() const {
    return std::size_t{size} - frame_layout::header - tag;
  }
  // Bytes for blocks: what is behind first and flags.
  [[nodiscard]] constexpr std::size_t payload() const {
    return plaintext() - frame_layout::prologue;
  }
  bool operator==(const FrameShape&) const = default;
};

// --- once a frame: inline ---------------------------------------------------------

inline void write_frame_header(std::span<std::byte, frame_layout::header> out, FrameHeader header,
                               PacketType type) {
  store_u8(&out[frame_layout::type], static_cast<std::uint8_t>(type));
  store_u8(&out[frame_layout::version], wire_version);
  store_be16(&out[frame_layout::zero], 0);
  store_be32(&out[frame_layout::spi], header.spi.value);
  store_be64(&out[frame_layout::sequence], header.sequence.value);
}

inline std::expected<FrameHeader, FrameHeaderError> read_frame_header(Bytes frame,
                                                                      PacketType type) {
  using enum FrameHeaderError;
  if (frame.size() < frame_layout::header) return std::unexpected{too_short};
  const std::byte* at = frame.data();
  if (load_u8(at + frame_layout::type) != static_cast<std::uint8_t>(type))
    return std::unexpected{bad_type};
  if (load_u8(at + frame_layout::version) != wire_version) return std::unexpected{bad_version};
  if (load_be16(at + frame_layout::zero) != 0) return std::unexpected{bad_zero};
  const Spi spi{load_be32(at + frame_layout::spi)};
  if (spi.value == 0) return std::unexpected{bad_spi};
  return FrameHeader{.spi = spi, .sequence = {load_be64(at + frame_layout::sequence)}};
}

}  // namespace penstock
