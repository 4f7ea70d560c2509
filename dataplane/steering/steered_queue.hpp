// The queue of one worker at a port whose own queues are fewer than the workers, or do not choose
// among them as their owners need it. What its own queue receives and is another's it hands over;
// what others receive for it comes from them; and where it has no queue another sends for it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/device/burst.hpp"
#include "dataplane/device/mbuf_slots.hpp"
#include "dataplane/device/mbuf_views.hpp"
#include "dataplane/device/open_port.hpp"
#include "dataplane/device/port.hpp"
#include "dataplane/steering/mesh.hpp"
#include "dataplane/worker_counters.hpp"

namespace penstock::dataplane {

// Books (counters.hpp): what is lost on the way in was not received yet, and stands beside them as
// mesh_full. What cannot be handed over to be sent was not accepted: the books have it as the
// port's (wire_tx_full, plain_tx_full), and it is counted as mesh_full beside them, too. What was
// accepted stands there as sent; what the port then refuses the worker that sends it is mesh_full
// in that worker's counters, beside the books.
class alignas(64) SteeredQueue final : public PortQueue {
 public:
  static constexpr std::size_t max_burst = 64;

  struct Setup {
    unsigned worker = 0;
    PortSide side{};             // plain: the owner is who has the flow; wire: who has the lane
    std::uint16_t udp_port = 0;  // of the wire
    PortQueue* own = nullptr;    // of mesh.shape().has_queue(worker)
    Port::InMbufs port;
  };
  SteeredQueue(const Setup& setup, Mesh& mesh);

  [[nodiscard]] std::size_t receive(std::span<PacketView> views) override;
  void release() override { views_.release(); }
  [[nodiscard]] std::span<TxSlot> reserve(std::size_t wanted) override {
    return slots_.reserve(wanted);
  }
  std::size_t commit(std::size_t used) override;
  void serve() override { send_for_others(); }
  void wipe() override;
  [[nodiscard]] std::size_t send(std::span<rte_mbuf*> packets) override;
  [[nodiscard]] int wait_fd() const override;
  [[nodiscard]] KernelDrops kernel_drops() override;
  [[nodiscard]] bool is_gone() const override { return own_ != nullptr && own_->is_gone(); }
  void count_in(WorkerCounters& count) override { count_ = &count; }

 private:
  [[nodiscard]] std::size_t take_in(std::span<PacketView> views);
  [[nodiscard]] std::size_t receive_own(std::span<PacketView> views, bool is_limited);
  [[nodiscard]] unsigned owner_of(rte_mbuf* packet) const;
  void hand_over();
  void send_for_others();
  void send_for_other(std::span<rte_mbuf*> packets);
  void wipe(HandOver& ring);

  unsigned worker_;
  PortSide side_;
  std::uint16_t udp_port_;
  PortQueue* own_;
  Mesh& mesh_;
  MbufViews views_;
  MbufSlots slots_;
  WorkerCounters* count_ = nullptr;
  std::optional<HandOver> kept_;              // received where there is a queue; ours, for later
  std::vector<HandOver*> from_others_;        // received by them, ours
  std::vector<HandOver*> to_send_;            // of those without a queue
  std::vector<Burst<max_burst>> for_others_;  // a burst's, by owner
  std::size_t next_from_ = 0;                 // of from_others_, each has its turn
  unsigned turn_ = 0;
};

}  // namespace penstock::dataplane
