// Transmit slots in mbufs of a pool. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/device/burst.hpp"
#include "dataplane/device/port.hpp"

struct rte_mempool;

namespace penstock::dataplane {

class MbufSlots {
 public:
  static constexpr std::size_t max_burst = 64;

  // `longest`: bytes of the longest packet that a slot takes.
  MbufSlots(rte_mempool* pool, std::uint32_t longest) : pool_(pool), longest_(longest) {}

  // As PortQueue's.
  [[nodiscard]] std::span<TxSlot> reserve(std::size_t wanted);
  // The packets in the first `used` slots that may leave; the rest goes back to the pool.
  [[nodiscard]] Burst<max_burst> fill(std::size_t used);

 private:
  rte_mempool* pool_;
  std::uint32_t longest_;
  std::array<TxSlot, max_burst> slots_{};
  Burst<max_burst> reserved_;
};

}  // namespace penstock::dataplane
