// The port of any DPDK device: NICs, virtio, memif, AF_XDP. Packets are whole; the device is
// asked for no offload but reception in pieces where a buffer is shorter than a packet.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/device/ethdev_queue.hpp"
#include "dataplane/device/open_port.hpp"
#include "dataplane/device/pool.hpp"
#include "dataplane/device/port.hpp"

namespace penstock::dataplane {

// Has its own pool to send from: 640 buffers a worker, 1.5 MB where the MTU is 1500.
class EthdevPort final : public Port {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Port>> open(const PortConfig& config,
                                                          const PortSetup& setup);
  EthdevPort(const EthdevPort&) = delete;
  EthdevPort& operator=(const EthdevPort&) = delete;
  ~EthdevPort() override;

  [[nodiscard]] const PortInfo& info() const override { return info_; }
  [[nodiscard]] unsigned queue_count() const override {
    return static_cast<unsigned>(queues_.size());
  }
  [[nodiscard]] PortQueue& queue(unsigned index) override;
  [[nodiscard]] InMbufs in_mbufs() const override;

 private:
  explicit EthdevPort(std::uint16_t port) : port_(port) {}
  [[nodiscard]] Result<void> configure(const PortSetup& setup);
  [[nodiscard]] Result<void> set_up_queues(std::uint16_t queues, const PortSetup& setup);
  [[nodiscard]] Result<void> start(PortSide side) const;

  std::uint16_t port_;
  PortInfo info_;
  Pool tx_pool_;
  std::vector<std::unique_ptr<EthdevQueue>> queues_;
};

}  // namespace penstock::dataplane
