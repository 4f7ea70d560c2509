// One queue pair of a DPDK device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/device/mbuf_slots.hpp"
#include "dataplane/device/mbuf_views.hpp"
#include "dataplane/device/port.hpp"

struct rte_mempool;

namespace penstock::dataplane {

// release() looks at the views of the last receive(): the caller keeps that array until then,
// and releases once for each receive().
class alignas(64) EthdevQueue final : public PortQueue {
 public:
  static constexpr std::size_t max_burst = 64;

  // `longest`: bytes of the longest packet that the device takes.
  EthdevQueue(std::uint16_t port, std::uint16_t queue, std::uint32_t longest, rte_mempool* tx_pool);

  [[nodiscard]] std::size_t receive(std::span<PacketView> views) override;
  [[nodiscard]] std::size_t receive_whole(std::span<rte_mbuf*> packets) override;
  void release() override { views_.release(); }
  [[nodiscard]] std::span<TxSlot> reserve(std::size_t wanted) override {
    return slots_.reserve(wanted);
  }
  std::size_t commit(std::size_t used) override;
  [[nodiscard]] std::size_t send(std::span<rte_mbuf*> packets) override;
  [[nodiscard]] KernelDrops kernel_drops() override;

 private:
  [[nodiscard]] std::size_t transmit(std::span<rte_mbuf*> packets) const;

  std::uint16_t port_;
  std::uint16_t queue_;
  MbufViews views_;
  MbufSlots slots_;
};

}  // namespace penstock::dataplane
