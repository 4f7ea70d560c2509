// The virtio-net header in front of a packet whose checksum or segmentation is still
// to do: 10 bytes, little-endian (virtio 1.2, section 5.1.6). The sender's header is
// never believed: the receiver builds a new one from its own parse of the packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "penstock/base/bytes.hpp"
#include "penstock/base/limits.hpp"

namespace penstock {

struct VirtioNetHeader {
  static constexpr std::uint8_t needs_csum = 1;
  static constexpr std::uint8_t gso_none = 0;
  static constexpr std::uint8_t gso_tcp4 = 1;
  static constexpr std::uint8_t gso_udp = 3;  // UFO; never forwarded
  static constexpr std::uint8_t gso_tcp6 = 4;
  static constexpr std::uint8_t gso_udp_l4 = 5;
  static constexpr std::uint8_t gso_ecn = 0x80;

  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t header_length = 0;
  std::uint16_t gso_size = 0;
  std::uint16_t csum_start = 0;
  std::uint16_t csum_offset = 0;

  // Nothing is left to do: the packet may travel as a plain Ethernet block.
  [[nodiscard]] bool is_finished() const {
    return (flags & needs_csum) == 0 && gso_type == gso_none;
  }
  bool operator==(const VirtioNetHeader&) const = default;
};

using VirtioNetBytes = std::span<std::byte, limits::virtio_net_header>;
using ConstVirtioNetBytes = std::span<const std::byte, limits::virtio_net_header>;

void write_virtio_net(VirtioNetBytes out, const VirtioNetHeader& header);
[[nodiscard]] VirtioNetHeader read_virtio_net(ConstVirtioNetBytes in);

// The header that `packet` (an Ethernet packet, tags inside) really needs, given what
// the far site said of it. Empty when the claim does not fit the packet: gso_type must
// agree with ethertype and L4 protocol, csum_start + csum_offset + 2 lie within the
// packet, gso_size be at least 256 and make at most 128 segments.
[[nodiscard]] std::optional<VirtioNetHeader> rebuild_virtio_net(Bytes packet,
                                                                const VirtioNetHeader& claimed);

}  // namespace penstock
