// The transmit half of a packet socket: fill slots in order, then one system call for all.
// The kernel takes slots in the same order, and hands each back when its packet has left.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/device/packet_socket.hpp"
#include "dataplane/device/port.hpp"

namespace penstock::dataplane {

class TransmitRing {
 public:
  static constexpr std::size_t max_burst = 64;

  // Packets with nothing left to do are at most `whole_limit` bytes long.
  TransmitRing(int fd, RingView ring, std::uint32_t whole_limit);

  // As PortQueue's. `error` is 0 or the errno of the system call; what the kernel did not take
  // is taken back and not among those accepted.
  [[nodiscard]] std::span<TxSlot> reserve(std::size_t wanted);
  [[nodiscard]] std::size_t commit(std::size_t used, int& error);

 private:
  [[nodiscard]] std::uint32_t place(std::uint32_t index) const;
  [[nodiscard]] bool fill(const TxSlot& slot, std::uint32_t index);
  [[nodiscard]] std::uint32_t take_back(std::uint32_t requested);

  int fd_;
  RingView ring_;
  std::uint32_t whole_limit_;
  std::uint32_t next_ = 0;  // the first slot not yet given to the kernel
  std::array<TxSlot, max_burst> slots_{};
};

}  // namespace penstock::dataplane
