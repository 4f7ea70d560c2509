#include "dataplane/device/ethdev_queue.hpp"

#include <algorithm>

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

namespace penstock::dataplane {
namespace {

std::byte* data_of(rte_mbuf* packet) { return rte_pktmbuf_mtod(packet, std::byte*); }

}  // namespace

EthdevQueue::EthdevQueue(std::uint16_t port, std::uint16_t queue, std::uint32_t longest,
                         rte_mempool* tx_pool)
    : port_(port),
      queue_(queue),
      longest_(longest),
      tx_pool_(tx_pool),
      whole_(std::make_unique_for_overwrite<std::byte[]>(max_burst * longest)) {}

std::size_t EthdevQueue::receive(std::span<PacketView> views) {
  release();
  std::array<rte_mbuf*, max_burst> packets;
  const auto most = static_cast<std::uint16_t>(std::min(views.size(), max_burst));
  const auto received = rte_eth_rx_burst(port_, queue_, packets.data(), most);
  std::size_t count = 0;
  for (std::uint16_t index = 0; index < received; ++index)
    if (view_packet(packets[index], views[count])) ++count;
  viewed_ = views.first(count);
  return count;
}

bool EthdevQueue::view_packet(rte_mbuf* packet, PacketView& view) {
  view = {.data = data_of(packet), .length = packet->pkt_len, .mbuf = packet};
  if ((packet->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) {
    view.vlan_tpid = RTE_ETHER_TYPE_VLAN;
    view.vlan_tci = packet->vlan_tci;
  }
  if (packet->nb_segs > 1) [[unlikely]]
    return view_scattered(packet, view);
  return true;
}

bool EthdevQueue::view_scattered(rte_mbuf* packet, PacketView& view) {
  const bool fits = view.length <= longest_;
  if (fits) {
    auto* const whole = whole_.get() + whole_used_++ * longest_;
    // Copies, as the packet is in pieces.
    (void)rte_pktmbuf_read(packet, 0, view.length, whole);
    view.data = whole;
    view.mbuf = nullptr;
  } else {
    ++drops_;
  }
  rte_pktmbuf_free(packet);
  return fits;
}

void EthdevQueue::release() {
  for (auto& view : viewed_) rte_pktmbuf_free(view.mbuf);
  viewed_ = {};
  whole_used_ = 0;
}

std::span<TxSlot> EthdevQueue::reserve(std::size_t wanted) {
  reserved_.clear();
  for (const auto most = std::min(wanted, max_burst); reserved_.size() < most;) {
    auto* const packet = rte_pktmbuf_alloc(tx_pool_);
    if (packet == nullptr) break;
    slots_[reserved_.size()] = {.data = data_of(packet), .capacity = longest_};
    reserved_.push(packet);
  }
  return std::span{slots_}.first(reserved_.size());
}

std::size_t EthdevQueue::commit(std::size_t used) {
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
  return transmit(good.take());
}

std::size_t EthdevQueue::send(std::span<rte_mbuf*> packets) {
  std::size_t accepted = 0;
  for (auto rest = packets; !rest.empty();) {
    const auto part = rest.first(std::min(rest.size(), max_burst));
    accepted += transmit(part);
    rest = rest.subspan(part.size());
  }
  return accepted;
}

std::size_t EthdevQueue::transmit(std::span<rte_mbuf*> packets) const {
  const auto sent =
      rte_eth_tx_burst(port_, queue_, packets.data(), static_cast<std::uint16_t>(packets.size()));
  rte_pktmbuf_free_bulk(packets.data() + sent, static_cast<unsigned>(packets.size() - sent));
  return sent;
}

KernelDrops EthdevQueue::kernel_drops() {
  rte_eth_stats stats{};
  // The device counts for all its queues; the first one speaks for it.
  if (queue_ == 0 && rte_eth_stats_get(port_, &stats) == 0)
    return {.received = stats.imissed + stats.rx_nombuf + drops_};
  return {.received = drops_};
}

}  // namespace penstock::dataplane
