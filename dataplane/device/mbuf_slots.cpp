#include "dataplane/device/mbuf_slots.hpp"

#include <algorithm>

#include <rte_ether.h>
#include <rte_mbuf.h>

namespace penstock::dataplane {

std::span<TxSlot> MbufSlots::reserve(std::size_t wanted) {
  reserved_.clear();
  for (const auto most = std::min(wanted, max_burst); reserved_.size() < most;) {
    auto* const packet = rte_pktmbuf_alloc(pool_);
    if (packet == nullptr) break;
    slots_[reserved_.size()] = {.data = rte_pktmbuf_mtod(packet, std::byte*), .capacity = longest_};
    reserved_.push(packet);
  }
  return std::span{slots_}.first(reserved_.size());
}

Burst<MbufSlots::max_burst> MbufSlots::fill(std::size_t used) {
  Burst<max_burst> good;
  const auto packets = reserved_.take();
  for (std::size_t index = 0; index < packets.size(); ++index) {
    const auto& slot = slots_[index];
    auto* const packet = packets[index];
    if (index >= used || slot.length < RTE_ETHER_HDR_LEN || slot.length > longest_ ||
        !slot.offload.is_finished()) {
      rte_pktmbuf_free(packet);
      continue;
    }
    packet->data_len = static_cast<std::uint16_t>(slot.length);
    packet->pkt_len = slot.length;
    good.push(packet);
  }
  return good;
}

}  // namespace penstock::dataplane
