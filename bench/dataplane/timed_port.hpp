// A port in memory that notes when each packet leaves, and has packets come by the clock.
#pragma once

#include <cstring>
#include <vector>

#include <rte_mbuf.h>

#include "penstock/base/clock.hpp"

#include "dataplane/device/port.hpp"

namespace penstock::bench {

class TimedPort final : public dataplane::PortQueue {
 public:
  explicit TimedPort(std::size_t departures) { departed_.reserve(departures); }

  // These come one an interval, from `start` on; the first at once.
  void bring(std::vector<std::vector<std::byte>> packets, Time start, Time interval) {
    packets_ = std::move(packets);
    start_ = start;
    interval_ = interval;
  }
  [[nodiscard]] const std::vector<Time>& departed() const { return departed_; }

  std::size_t receive(std::span<dataplane::PacketView> views) override {
    std::size_t count = 0;
    while (count < views.size() && next_ < packets_.size() && is_due()) {
      const auto& packet = packets_[next_++];
      views[count++] = {.data = packet.data(), .length = static_cast<std::uint32_t>(packet.size())};
    }
    return count;
  }
  void release() override {}
  std::span<dataplane::TxSlot> reserve(std::size_t wanted) override {
    slots_.assign(wanted, {.data = room_.data(), .capacity = most});
    return slots_;
  }
  std::size_t commit(std::size_t used) override { return used; }
  std::size_t send(std::span<rte_mbuf*> packets) override {
    const Time now = monotonic_now();
    for (rte_mbuf* packet : packets) {
      if (departed_.size() < departed_.capacity()) departed_.push_back(now);
      rte_pktmbuf_free(packet);
    }
    return packets.size();
  }
  dataplane::KernelDrops kernel_drops() override { return {}; }

 private:
  static constexpr std::uint32_t most = 16384;

  [[nodiscard]] bool is_due() const {
    return next_ == 0 || monotonic_now() >= start_ + interval_ * static_cast<Time::rep>(next_);
  }

  std::vector<Time> departed_;
  std::vector<std::vector<std::byte>> packets_;
  Time start_{};
  Time interval_{};
  std::size_t next_ = 0;
  std::vector<std::byte> room_ = std::vector<std::byte>(most);
  std::vector<dataplane::TxSlot> slots_;
};

}  // namespace penstock::bench
