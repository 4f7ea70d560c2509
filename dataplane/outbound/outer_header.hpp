// What stands before a sealed frame on the wire.
#pragma once

#include <cstring>

#include <rte_mbuf.h>

#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {

// The mbuf becomes the whole Ethernet packet around its sealed frame.
inline void put_outer_header(rte_mbuf* buffer, const OutboundSa& sa, std::uint8_t dscp) {
  constexpr std::size_t header_v4 = ethernet_header + ipv4_header + udp_header;
  const std::size_t header = sa.outer.length;
  std::byte* packet = frame_in(buffer) - header;
  const bool is_v4 = header == header_v4;
  if (is_v4) [[likely]]
    std::memcpy(packet, sa.outer.bytes.data(), header_v4);  // its size known: no call
  else
    std::memcpy(packet, sa.outer.bytes.data(), header);
  const std::size_t length = header + sa.shape().size;
  buffer->data_off = static_cast<std::uint16_t>(RTE_PKTMBUF_HEADROOM - header);
  buffer->data_len = static_cast<std::uint16_t>(length);
  buffer->pkt_len = static_cast<std::uint32_t>(length);
  if (sa.copies_dscp) [[unlikely]]
    set_outer_dscp(MutableBytes{packet, length}, dscp);
  if (!is_v4) finish_udp6_checksum(MutableBytes{packet, length});
}

}  // namespace penstock::dataplane::outbound
