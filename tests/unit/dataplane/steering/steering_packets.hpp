// Packets of flows, as far as steering looks.
#pragma once

#include <cstdint>
#include <vector>

#include "penstock/base/bytes.hpp"

namespace penstock::dataplane::test {

struct Flow {
  std::uint8_t protocol = 17;
  bool v6 = false;
  std::uint32_t source = 1;
  std::uint32_t destination = 2;
  std::uint16_t source_port = 3;
  std::uint16_t destination_port = 4;
  std::uint16_t fragment = 0x4000;  // IPv4's flags and offset
};

inline std::vector<std::byte> packet_of(const Flow& flow, std::size_t payload = 30) {
  const std::size_t ip = 14;
  const std::size_t transport = ip + (flow.v6 ? 40 : 20);
  std::vector<std::byte> packet(transport + 8 + payload, static_cast<std::byte>(payload));
  const auto zero = [&](std::size_t from, std::size_t to) {
    for (std::size_t at = from; at < to; ++at) packet[at] = {};
  };
  zero(0, transport);
  packet[0] = std::byte{2};
  store_be16(&packet[12], flow.v6 ? 0x86dd : 0x0800);
  store_u8(&packet[ip], flow.v6 ? 0x60 : 0x45);
  store_u8(&packet[ip + (flow.v6 ? 6 : 9)], flow.protocol);
  if (!flow.v6) store_be16(&packet[ip + 6], flow.fragment);
  store_be32(&packet[ip + (flow.v6 ? 20 : 12)], flow.source);
  store_be32(&packet[ip + (flow.v6 ? 36 : 16)], flow.destination);
  store_be16(&packet[transport], flow.source_port);
  store_be16(&packet[transport + 2], flow.destination_port);
  return packet;
}

inline std::vector<std::byte> tagged(std::vector<std::byte> packet, std::uint16_t tpid,
                                     std::uint16_t tci) {
  std::vector<std::byte> tag(4);
  store_be16(tag.data(), tpid);
  store_be16(tag.data() + 2, tci);
  packet.insert(packet.begin() + 12, tag.begin(), tag.end());
  return packet;
}

// A data frame of a lane, to UDP port 7670.
inline std::vector<std::byte> frame_packet(std::uint32_t lane, bool v6 = false) {
  auto packet = packet_of({.v6 = v6, .destination_port = 7670}, 256);
  std::byte* const frame = &packet[14 + (v6 ? 40u : 20u) + 8];
  store_u8(frame, 5);
  store_be32(frame + 4, 0xabcde000 | lane);
  return packet;
}

}  // namespace penstock::dataplane::test
