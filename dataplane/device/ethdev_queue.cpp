#include "dataplane/device/ethdev_queue.hpp"

#include <algorithm>
#include <array>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

namespace penstock::dataplane {

EthdevQueue::EthdevQueue(std::uint16_t port, std::uint16_t queue, std::uint32_t longest,
                         rte_mempool* tx_pool)
    : port_(port), queue_(queue), views_(longest), slots_(tx_pool, longest) {}

std::size_t EthdevQueue::receive(std::span<PacketView> views) {
  release();
  std::array<rte_mbuf*, max_burst> packets;
  const auto received = receive_whole(std::span{packets}.first(std::min(views.size(), max_burst)));
  std::size_t count = 0;
  for (std::size_t index = 0; index < received; ++index)
    if (views_.view(packets[index], views[count])) ++count;
  views_.note(views.first(count));
  return count;
}

std::size_t EthdevQueue::receive_whole(std::span<rte_mbuf*> packets) {
  return rte_eth_rx_burst(port_, queue_, packets.data(),
                          static_cast<std::uint16_t>(packets.size()));
}

std::size_t EthdevQueue::commit(std::size_t used) {
  auto packets = slots_.fill(used);
  return transmit(packets.take());
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
    return {.received = stats.imissed + stats.rx_nombuf + views_.drops()};
  return {.received = views_.drops()};
}

}  // namespace penstock::dataplane
