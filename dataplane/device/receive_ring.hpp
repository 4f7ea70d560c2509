// The receive half of a packet socket. A slot holds a packet of up to an MTU; of a longer one
// it holds the beginning, and the whole packet waits in the socket's queue in the same order
// (PACKET_COPY_THRESH), to be read into one of a few large buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/device/packet_socket.hpp"
#include "dataplane/device/port.hpp"

namespace penstock::dataplane {

class ReceiveRing {
 public:
  ReceiveRing(int fd, RingView ring);

  // As PortQueue's. The number of views says nothing about the number of slots looked at.
  [[nodiscard]] std::size_t receive(std::span<PacketView> views);
  void release();

  // What the kernel dropped for want of room, and long packets that could not be had whole.
  [[nodiscard]] std::uint64_t drops();

  // What drops() makes of the kernel's counts since the last look.
  void take_counts(std::uint32_t arrived, std::uint32_t dropped);

  // The kernel marks a slot as being filled before it looks at the packet's segmentation, and
  // where it knows no virtio-net header for that (a guest's UFO, SCTP) drops the packet but not
  // the mark: the ring takes nothing more, ever. So: two looks at which all that arrived was
  // dropped though the next slot is free. Then the ring is to be renewed, and start_over() called.
  [[nodiscard]] bool is_jammed() const { return futile_looks_ >= 2; }
  void start_over();

 private:
  // How many long packets may be in views at a time.
  static constexpr std::uint32_t long_buffers = 32;

  [[nodiscard]] bool view_slot(tpacket2_hdr& slot, PacketView& view);
  [[nodiscard]] bool read_long(const tpacket2_hdr& slot, PacketView& view);

  int fd_;
  RingView ring_;
  std::uint32_t next_ = 0;   // the slot that the kernel fills next, as far as we know
  std::uint32_t taken_ = 0;  // slots before next_ that are not released yet
  std::uint32_t long_taken_ = 0;
  std::unique_ptr<std::byte[]> long_memory_;  // not touched, so not resident, until needed
  std::uint64_t drops_ = 0;
  unsigned futile_looks_ = 0;
};

}  // namespace penstock::dataplane
