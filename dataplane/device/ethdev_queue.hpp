// One queue pair of a DPDK device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/device/burst.hpp"
#include "dataplane/device/port.hpp"

struct rte_mempool;

namespace penstock::dataplane {

// release() looks at the views of the last receive(): the caller keeps that array until then,
// and releases once for each receive().
class EthdevQueue final : public PortQueue {
 public:
  static constexpr std::size_t max_burst = 64;

  // `longest`: bytes of the longest packet that the device takes.
  EthdevQueue(std::uint16_t port, std::uint16_t queue, std::uint32_t longest, rte_mempool* tx_pool);

  [[nodiscard]] std::size_t receive(std::span<PacketView> views) override;
  void release() override;
  [[nodiscard]] std::span<TxSlot> reserve(std::size_t wanted) override;
  std::size_t commit(std::size_t used) override;
  [[nodiscard]] std::size_t send(std::span<rte_mbuf*> packets) override;
  [[nodiscard]] KernelDrops kernel_drops() override;

 private:
  [[nodiscard]] bool view_packet(rte_mbuf* packet, PacketView& view);
  [[nodiscard]] bool view_scattered(rte_mbuf* packet, PacketView& view);
  [[nodiscard]] std::size_t transmit(std::span<rte_mbuf*> packets) const;

  std::uint16_t port_;
  std::uint16_t queue_;
  std::uint32_t longest_;
  rte_mempool* tx_pool_;
  std::span<PacketView> viewed_;
  std::array<TxSlot, max_burst> slots_{};
  Burst<max_burst> reserved_;
  std::unique_ptr<std::byte[]> whole_;  // packets that came in pieces, put together
  std::size_t whole_used_ = 0;
  std::uint64_t drops_ = 0;
};

}  // namespace penstock::dataplane
