// Ports at which packets arrive by the clock, whether or not anybody takes them: a receive ring of
// 1024 descriptors holds what it can, the rest is lost there and counted.
#pragma once

#include <array>
#include <cstring>

#include "bench/common/turns.hpp"
#include "bench/dataplane/path_histogram.hpp"
#include "bench/dataplane/path_ports.hpp"
#include "penstock/base/bytes.hpp"
#include "penstock/base/clock.hpp"

namespace penstock::bench {

// The time that the thread had a CPU: what others run meanwhile on its core makes nothing late.
// Read often, it costs no more than the monotonic clock: only where that jumps is the thread's own
// time asked for.
class OwnClock {
 public:
  [[nodiscard]] Time now() {
    const Time monotonic = monotonic_now();
    if (monotonic - last_ > suspicious) [[unlikely]]
      correct(monotonic);
    last_ = monotonic;
    return latest_ = std::max(latest_, monotonic - away_);
  }

 private:
  static constexpr Time suspicious = std::chrono::microseconds{10};

  void correct(Time monotonic) {
    const Time own{static_cast<Time::rep>(thread_seconds() * 1e9)};
    if (seen_own_ != Time{}) away_ += std::max(monotonic - seen_ - (own - seen_own_), Time{});
    seen_ = monotonic;
    seen_own_ = own;
  }

  Time last_{};
  Time latest_{};
  Time away_{};
  Time seen_{};
  Time seen_own_{};
};

// Packets carry the time at which they were to arrive; where they are delivered, the delay since
// then is noted.
class ClockedPlain final : public PlainEnd {
 public:
  static constexpr std::size_t descriptors = 1024;

  ClockedPlain(std::uint32_t longest, OwnClock& clock) : PlainEnd(longest), clock_(clock) {}

  // From now on; 0: nothing comes.
  void offer(std::vector<std::vector<std::byte>> packets, double per_second) {
    packets_ = std::move(packets);
    interval_ = per_second > 0 ? 1e9 / per_second : 0;
    start_ = clock_.now();
    arrived_ = head_ = tail_ = 0;
  }
  void stop() { interval_ = 0; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  [[nodiscard]] PathHistogram& delays() { return delays_; }

  std::size_t receive(std::span<dataplane::PacketView> views) override {
    if (interval_ > 0) arrive(clock_.now());
    const std::size_t count = std::min<std::size_t>(views.size(), tail_ - head_);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t number = ring_[head_++ % descriptors];
      auto& packet = packets_[(taken_ + i) % packets_.size()];
      const std::uint64_t stamp = static_cast<std::uint64_t>(at(number).count());
      std::memcpy(&packet[stamp_at], &stamp, sizeof stamp);
      views[i] = {.data = packet.data(), .length = static_cast<std::uint32_t>(packet.size())};
    }
    taken_ += count;
    return count;
  }
  std::size_t commit(std::size_t used) override {
    const Time now = clock_.now();
    for (const dataplane::TxSlot& slot : slots().first(used)) {
      std::uint64_t stamp = 0;
      std::memcpy(&stamp, slot.data + stamp_at, sizeof stamp);
      delays_.record(now - Time{static_cast<Time::rep>(stamp)});
    }
    return PlainEnd::commit(used);
  }
  dataplane::KernelDrops kernel_drops() override { return {.received = lost_}; }

 private:
  static constexpr std::size_t stamp_at = 14;

  [[nodiscard]] Time at(std::uint64_t number) const {
    return start_ + Time{static_cast<Time::rep>(static_cast<double>(number) * interval_)};
  }
  void arrive(Time now) {
    const auto due =
        static_cast<std::uint64_t>(static_cast<double>((now - start_).count()) / interval_) + 1;
    for (; arrived_ < due && tail_ - head_ < descriptors; ++arrived_)
      ring_[tail_++ % descriptors] = arrived_;
    lost_ += due - arrived_;
    arrived_ = due;
  }

  OwnClock& clock_;
  std::vector<std::vector<std::byte>> packets_;
  double interval_ = 0;  // nanoseconds
  Time start_{};
  std::uint64_t arrived_ = 0;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  std::array<std::uint64_t, descriptors> ring_{};  // which arrivals wait
  std::uint64_t lost_ = 0;
  std::uint64_t taken_ = 0;
  PathHistogram delays_;
};

// What one site sends comes to the other.
class LinkedWire final : public WireEnd {
 public:
  void link(LinkedWire& other) { other_ = &other; }
  std::size_t send(std::span<rte_mbuf*> packets) override {
    other_->bring(packets);
    return packets.size();
  }

 private:
  LinkedWire* other_ = nullptr;
};

}  // namespace penstock::bench
