// The port of a kernel interface: a queue for each worker, each on a packet socket's rings; the
// kernel chooses among several (fanout.hpp).
#pragma once

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "penstock/base/log.hpp"

#include "dataplane/device/fanout.hpp"
#include "dataplane/device/kernel_interface.hpp"
#include "dataplane/device/open_port.hpp"
#include "dataplane/device/packet_socket.hpp"
#include "dataplane/device/port.hpp"
#include "dataplane/device/receive_ring.hpp"
#include "dataplane/device/transmit_ring.hpp"

namespace penstock::dataplane {

// Survives its link going down (nothing is received, sends are not accepted) and comes back
// with it. When the interface itself vanishes it says so once and stays silent.
class alignas(64) AfPacketQueue final : public PortQueue {
 public:
  // As `member` of the fanout, where there is one; it outlives the queue.
  AfPacketQueue(PacketSocket socket, KernelInterface interface, Fanout* fanout, unsigned member);

  [[nodiscard]] std::size_t receive(std::span<PacketView> views) override;
  void release() override { receive_.release(); }
  [[nodiscard]] std::span<TxSlot> reserve(std::size_t wanted) override;
  std::size_t commit(std::size_t used) override;
  [[nodiscard]] std::size_t send(std::span<rte_mbuf*> packets) override;
  [[nodiscard]] int wait_fd() const override { return socket_.fd(); }
  [[nodiscard]] KernelDrops kernel_drops() override;
  [[nodiscard]] bool is_gone() const override { return link_ == Link::gone; }

 private:
  enum class Link : std::uint8_t { up, down, gone };

  void look_for_error();
  void note_down(int error);
  void note_up();
  void unjam();

  PacketSocket socket_;
  KernelInterface interface_;
  Fanout* fanout_;
  unsigned member_;
  ReceiveRing receive_;
  TransmitRing transmit_;
  Link link_ = Link::up;
  unsigned empty_turns_ = 0;
  std::uint64_t jams_ = 0;
  log::RateLimit jam_lines_{std::chrono::minutes{1}};
};

class AfPacketPort final : public Port {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Port>> open(const PortConfig& config,
                                                          const PortSetup& setup);
  explicit AfPacketPort(PortInfo info) : info_(std::move(info)) {}

  [[nodiscard]] const PortInfo& info() const override { return info_; }
  [[nodiscard]] unsigned queue_count() const override {
    return static_cast<unsigned>(queues_.size());
  }
  [[nodiscard]] PortQueue& queue(unsigned index) override;

 private:
  [[nodiscard]] Result<void> add_queues(const KernelInterface& interface, const PortSetup& setup);

  PortInfo info_;
  std::unique_ptr<Fanout> fanout_;  // of more than one
  std::vector<std::unique_ptr<AfPacketQueue>> queues_;
};

}  // namespace penstock::dataplane
