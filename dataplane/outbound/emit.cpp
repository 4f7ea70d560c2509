// Puts the outer headers before sealed frames and hands them to the wire port, in order.
#include "dataplane/outbound/outer_header.hpp"

namespace penstock::dataplane::outbound {

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
