// Ports at which packets and frames arrive by the clock, whether or not anybody takes them.
#pragma once

#include <array>
#include <cstring>

#include "bench/common/turns.hpp"
#include "bench/dataplane/path_histogram.hpp"
#include "bench/dataplane/path_ports.hpp"
#include "penstock/base/bytes.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/wire/outer.hpp"

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
  // What the bench makes ready meanwhile takes no time.
  void stand_still(auto&& work) {
    const Time before = now();
    work();
    away_ += now() - before;
    latest_ = before;
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

// A receive ring of 1024 descriptors: it holds what it can, the rest is lost there and counted.
class Arrivals {
 public:
  static constexpr std::size_t descriptors = 1024;

  explicit Arrivals(OwnClock& clock) : clock_(clock) {}

  // From now on.
  void begin(double per_second) {
    interval_ = 1e9 / per_second;
    start_ = clock_.now();
    arrived_ = head_ = tail_ = 0;
    is_on_ = true;
  }
  // What waits stays.
  void stop() { is_on_ = false; }
  // How many there are now.
  [[nodiscard]] std::size_t wait() {
    if (is_on_) arrive(clock_.now());
    return tail_ - head_;
  }
  // The number of the next, of those that wait; and when it came.
  [[nodiscard]] std::uint64_t take() {
    ++taken_;
    return ring_[head_++ % descriptors];
  }
  [[nodiscard]] Time at(std::uint64_t number) const {
    return start_ + Time{static_cast<Time::rep>(static_cast<double>(number) * interval_)};
  }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

 private:
  void arrive(Time now) {
    const auto due =
        static_cast<std::uint64_t>(static_cast<double>((now - start_).count()) / interval_) + 1;
    for (; arrived_ < due && tail_ - head_ < descriptors; ++arrived_)
      ring_[tail_++ % descriptors] = arrived_;
    lost_ += due - arrived_;
    arrived_ = due;
  }

  OwnClock& clock_;
  bool is_on_ = false;
  double interval_ = 0;  // nanoseconds
  Time start_{};
  std::uint64_t arrived_ = 0;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  std::array<std::uint64_t, descriptors> ring_{};  // which arrivals wait
  std::uint64_t lost_ = 0;
  std::uint64_t taken_ = 0;
};

// Packets carry the time at which they arrived.
inline void put_stamp(std::byte* at, Time time) {
  const auto stamp = static_cast<std::uint64_t>(time.count());
  std::memcpy(at, &stamp, sizeof stamp);
}
[[nodiscard]] inline Time stamp_at(const std::byte* at) {
  std::uint64_t stamp = 0;
  std::memcpy(&stamp, at, sizeof stamp);
  return Time{static_cast<Time::rep>(stamp)};
}

// Where packets are delivered that came from another of these, how long they took is noted.
class ClockedPlain final : public PlainEnd {
 public:
  ClockedPlain(std::uint32_t longest, OwnClock& clock)
      : PlainEnd(longest), clock_(clock), arrivals_(clock) {}

  void offer(std::vector<std::vector<std::byte>> packets, double per_second) {
    packets_ = std::move(packets);
    arrivals_.begin(per_second);
  }
  [[nodiscard]] Arrivals& arrivals() { return arrivals_; }
  [[nodiscard]] PathHistogram& delays() { return delays_; }

  std::size_t receive(std::span<dataplane::PacketView> views) override {
    const std::size_t count = std::min(views.size(), arrivals_.wait());
    for (dataplane::PacketView& view : views.first(count)) {
      auto& packet = packets_[arrivals_.taken() % packets_.size()];
      put_stamp(packet.data() + ethernet_header, arrivals_.at(arrivals_.take()));
      view = {.data = packet.data(), .length = static_cast<std::uint32_t>(packet.size())};
    }
    return count;
  }
  std::size_t commit(std::size_t used) override {
    const Time now = clock_.now();
    for (const dataplane::TxSlot& slot : slots().first(used))
      delays_.record(now - stamp_at(slot.data + ethernet_header));
    return PlainEnd::commit(used);
  }
  dataplane::KernelDrops kernel_drops() override { return {.received = arrivals_.lost()}; }

 private:
  OwnClock& clock_;
  Arrivals arrivals_;
  std::vector<std::vector<std::byte>> packets_;
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
