// Puts the outer headers before sealed frames and hands them to the wire port, in order.
#include <cstring>

#include "dataplane/outbound/path.hpp"

namespace penstock::dataplane::outbound {

void put_outer_header(rte_mbuf* buffer, const OutboundSa& sa, std::uint8_t dscp) {
  const Bytes header = sa.outer.view();
  std::byte* packet = frame_in(buffer) - header.size();
  std::memcpy(packet, header.data(), header.size());
  const std::size_t length = header.size() + sa.shape().size;
  buffer->data_off = static_cast<std::uint16_t>(RTE_PKTMBUF_HEADROOM - header.size());
  buffer->data_len = static_cast<std::uint16_t>(length);
  buffer->pkt_len = static_cast<std::uint32_t>(length);
  if (sa.copies_dscp) [[unlikely]]
    set_outer_dscp(MutableBytes{packet, length}, dscp);
  finish_udp6_checksum(MutableBytes{packet, length});
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
