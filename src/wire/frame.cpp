#include "penstock/wire/frame.hpp"

namespace penstock {

void write_frame_header(std::span<std::byte, frame_layout::header> out, FrameHeader header,
                        PacketType type) {
  store_u8(&out[frame_layout::type], static_cast<std::uint8_t>(type));
  store_u8(&out[frame_layout::version], wire_version);
  store_be16(&out[frame_layout::zero], 0);
  store_be32(&out[frame_layout::spi], header.spi.value);
  store_be64(&out[frame_layout::sequence], header.sequence.value);
}

std::expected<FrameHeader, FrameHeaderError> read_frame_header(Bytes frame, PacketType type) {
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
