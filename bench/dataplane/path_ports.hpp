// The two ends of a measured path, in the worker's own thread and without a kernel: a port that
// brings what was written before by pointer, and forgets what it is given. What it touches is a
// fixed set that stays in the second-level cache, as a NIC that writes past the memory (DDIO)
// would leave it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <rte_mbuf.h>

#include "dataplane/device/port.hpp"

namespace penstock::bench {

// The plain side: packets, again and again, and room for those that are delivered.
class PlainEnd : public dataplane::PortQueue {
 public:
  static constexpr std::size_t rooms = 64;

  explicit PlainEnd(std::uint32_t longest) : longest_(longest), memory_(rooms * longest) {}

  // From now on these come, in turn, as fast as they are taken.
  void bring(std::vector<std::vector<std::byte>> packets) {
    packets_ = std::move(packets);
    views_.clear();
    for (const auto& packet : packets_)
      views_.push_back(
          {.data = packet.data(), .length = static_cast<std::uint32_t>(packet.size())});
    next_ = 0;
    std::size_t bytes = 0;
    for (const auto& packet : packets_) bytes += packet.size();
    bytes_a_packet_ = static_cast<double>(bytes) / static_cast<double>(packets_.size());
  }
  [[nodiscard]] std::uint64_t brought() const { return brought_; }
  [[nodiscard]] double bytes_a_packet() const { return bytes_a_packet_; }
  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }

  std::size_t receive(std::span<dataplane::PacketView> views) override {
    if (views_.empty()) return 0;
    brought_ += views.size();
    for (std::size_t done = 0; done < views.size();) {
      const std::size_t count = std::min(views.size() - done, views_.size() - next_);
      std::copy_n(views_.begin() + static_cast<std::ptrdiff_t>(next_), count, &views[done]);
      done += count;
      next_ = next_ + count == views_.size() ? 0 : next_ + count;
    }
    return views.size();
  }
  void release() override {}
  std::span<dataplane::TxSlot> reserve(std::size_t wanted) override {
    const std::size_t count = std::min(wanted, slots_.size());
    if (room_ + count > rooms) room_ = 0;
    for (std::size_t i = 0; i < count; ++i)
      slots_[i] = {.data = &memory_[(room_ + i) * longest_], .capacity = longest_};
    return std::span{slots_}.first(count);
  }
  std::size_t commit(std::size_t used) override {
    room_ += used;
    delivered_ += used;
    return used;
  }
  std::size_t send(std::span<rte_mbuf*> packets) override {
    rte_pktmbuf_free_bulk(packets.data(), static_cast<unsigned>(packets.size()));
    return packets.size();
  }
  dataplane::KernelDrops kernel_drops() override { return {}; }

 protected:
  [[nodiscard]] std::span<const dataplane::TxSlot> slots() const { return slots_; }

 private:
  std::uint32_t longest_;
  std::vector<std::byte> memory_;
  std::size_t room_ = 0;
  std::array<dataplane::TxSlot, 64> slots_{};
  std::vector<std::vector<std::byte>> packets_;
  std::vector<dataplane::PacketView> views_;
  std::size_t next_ = 0;
  std::uint64_t brought_ = 0;
  std::uint64_t delivered_ = 0;
  double bytes_a_packet_ = 0;
};

// The wire side: takes sealed frames and frees them, and brings whole packets in mbufs, as a
// device does.
class WireEnd : public dataplane::PortQueue {
 public:
  // What comes next; the port owns them.
  void bring(std::span<rte_mbuf* const> packets) {
    incoming_.erase(incoming_.begin(), incoming_.begin() + static_cast<std::ptrdiff_t>(next_));
    incoming_.insert(incoming_.end(), packets.begin(), packets.end());
    next_ = 0;
  }
  [[nodiscard]] bool is_empty() const { return next_ == incoming_.size(); }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  // How many frames came with each call since clear().
  [[nodiscard]] std::span<const std::uint8_t> batches() const { return batches_; }
  void clear() { batches_.clear(); }

  std::size_t receive(std::span<dataplane::PacketView> views) override {
    const std::size_t count = std::min(views.size(), incoming_.size() - next_);
    for (dataplane::PacketView& view : views.first(count)) {
      rte_mbuf* const packet = incoming_[next_++];
      view = {.data = rte_pktmbuf_mtod(packet, const std::byte*),
              .length = packet->pkt_len,
              .mbuf = packet};
    }
    viewed_ = views.first(count);
    return count;
  }
  void release() override {
    for (const dataplane::PacketView& view : viewed_)
      if (view.mbuf != nullptr) rte_pktmbuf_free(view.mbuf);
    viewed_ = {};
  }
  std::span<dataplane::TxSlot> reserve(std::size_t) override { return {}; }
  std::size_t commit(std::size_t) override { return 0; }
  std::size_t send(std::span<rte_mbuf*> packets) override {
    frames_ += packets.size();
    if (batches_.size() < batches_.capacity())
      batches_.push_back(static_cast<std::uint8_t>(packets.size()));
    rte_pktmbuf_free_bulk(packets.data(), static_cast<unsigned>(packets.size()));
    return packets.size();
  }
  dataplane::KernelDrops kernel_drops() override { return {}; }

  WireEnd() { batches_.reserve(most_batches); }

 private:
  static constexpr std::size_t most_batches = 4096;

  std::vector<rte_mbuf*> incoming_;
  std::size_t next_ = 0;
  std::span<const dataplane::PacketView> viewed_;
  std::uint64_t frames_ = 0;
  std::vector<std::uint8_t> batches_;
};

}  // namespace penstock::bench
