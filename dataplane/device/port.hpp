// A port: where packets come in and go out. Two kinds implement it: AfPacketPort (our
// packet-socket ring, for kernel interfaces) and EthdevPort (any DPDK device).
// A queue belongs to one worker. Calls are per burst, never per packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "penstock/base/address.hpp"
#include "penstock/base/bytes.hpp"
#include "penstock/wire/virtio_net.hpp"

struct rte_mbuf;
struct rte_mempool;

namespace penstock::dataplane {

class WorkerCounters;

// A received packet, valid until the queue's next release().
struct PacketView {
  const std::byte* data = nullptr;  // Ethernet header first, without the outer VLAN tag if
  std::uint32_t length = 0;         // vlan_tpid says that it was taken out
  std::uint16_t vlan_tpid = 0;      // 0: no tag was taken out
  std::uint16_t vlan_tci = 0;
  VirtioNetHeader offload{};  // csum_start counts from `data`
  rte_mbuf* mbuf = nullptr;   // behind `data`, where there is one; a caller that keeps it
                              // sets this to null before release() and owns it
};

// Room for one packet in the transmit queue: write `data`, set `length` and `offload`.
struct TxSlot {
  std::byte* data = nullptr;
  std::uint32_t capacity = 0;
  std::uint32_t length = 0;
  VirtioNetHeader offload{};  // not finished only where the port takes offloads
};

struct KernelDrops {
  std::uint64_t received = 0;  // lost before we saw them, since the port was opened
};

class PortQueue {
 public:
  virtual ~PortQueue() = default;

  // Fills at most views.size(); what came is valid until release().
  [[nodiscard]] virtual std::size_t receive(std::span<PacketView> views) = 0;
  virtual void release() = 0;
  // The same in mbufs, which are the caller's then; at most 64. For a queue that hands packets to
  // other workers, in place of receive(); only of a port that says how (Port::in_mbufs).
  [[nodiscard]] virtual std::size_t receive_whole(std::span<rte_mbuf*> /*packets*/) { return 0; }

  // Slots for at most `wanted` packets, maybe fewer, maybe none; commit() sends the first
  // `used` of them and gives the others back. Returns how many the port accepted.
  [[nodiscard]] virtual std::span<TxSlot> reserve(std::size_t wanted) = 0;
  virtual std::size_t commit(std::size_t used) = 0;

  // Sends whole Ethernet packets in mbufs; takes them all, frees what does not fit, and
  // returns how many the port accepted (the first ones).
  [[nodiscard]] virtual std::size_t send(std::span<rte_mbuf*> packets) = 0;

  // Sends what other workers gave it to send; receive() does, too.
  virtual void serve() {}
  // Overwrites and frees what other workers gave it and nobody has seen yet. No packet in view.
  virtual void wipe() {}

  // Readable when a packet waits, or one of these.
  static constexpr int must_be_polled = -1;
  static constexpr int waits_for_others = -2;  // nothing comes but from other workers, who wake us
  [[nodiscard]] virtual int wait_fd() const { return must_be_polled; }
  [[nodiscard]] virtual KernelDrops kernel_drops() = 0;
  // The device has vanished: nothing comes or leaves here any more, also when it is back.
  [[nodiscard]] virtual bool is_gone() const { return false; }
  // Where its worker counts, for a queue that loses packets of its own; once, before all else.
  virtual void count_in(WorkerCounters& /*count*/) {}
};

struct PortInfo {
  // Who gives each worker its own: the flows it packs, and on the wire the lanes it receives.
  enum class Spreads : std::uint8_t {
    by_device,    // all of them
    flows_alone,  // a NIC: flows evenly over the queues that it has (RSS), not lanes
    by_software,  // nobody below us
  };
  std::string name;  // as in the config
  MacAddress mac;
  std::uint16_t mtu = 1500;    // bytes behind the Ethernet header (and VLAN tags)
  bool takes_offload = false;  // unfinished checksums and segmentation
  Spreads spreads = Spreads::by_device;
};

class Port {
 public:
  virtual ~Port() = default;
  [[nodiscard]] virtual const PortInfo& info() const = 0;
  [[nodiscard]] virtual unsigned queue_count() const = 0;
  [[nodiscard]] virtual PortQueue& queue(unsigned index) = 0;

  // How packets may pass from worker to worker; no pool where they cannot, and need not.
  struct InMbufs {
    rte_mempool* tx_pool = nullptr;  // to send from
    std::uint32_t longest = 0;       // bytes of a packet
  };
  [[nodiscard]] virtual InMbufs in_mbufs() const { return {}; }
};

}  // namespace penstock::dataplane
