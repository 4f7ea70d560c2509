// Puts the outer headers before sealed frames and hands them to the wire port, in order.
#include <cstring>

#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {

namespace {

constexpr std::size_t header_v4 = ethernet_header + ipv4_header + udp_header;

}  // namespace

void put_outer_header(rte_mbuf* buffer, const OutboundSa& sa, std::uint8_t dscp) {
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

void emit(Path& path) {
  const std::span<rte_mbuf*> buffers = path.frames.buffers.take();
  if (buffers.empty()) return;
  std::size_t ready = 0;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const OutboundSa& sa = *path.frames.sas[i];
    if (!sa.has_next_hop) [[unlikely]] {
      rte_pktmbuf_free(buffers[i]);
      path.count.drop(DropReason::no_next_hop);
      continue;
    }
    put_outer_header(buffers[i], sa, path.frames.dscps[i]);
    buffers[ready++] = buffers[i];
  }
  const std::size_t sent = path.wire.send(buffers.first(ready));
  path.count.add(Counter::frames_sent, sent);
  path.count.drop(DropReason::wire_tx_full, ready - sent);
}

}  // namespace penstock::dataplane::outbound
