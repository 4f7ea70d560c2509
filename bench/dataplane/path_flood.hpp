// Frames that arrive by the clock, faster than they are taken where one likes, and ARP among them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "bench/dataplane/path_clocked.hpp"
#include "bench/dataplane/path_rig.hpp"

namespace penstock::bench {

// A request for the address of site 1, stamped behind its contents. The caller owns it.
[[nodiscard]] rte_mbuf* make_arp(rte_mempool* pool, Time stamp);
[[nodiscard]] Time stamp_in_arp(rte_mbuf* packet);

// The far side of a session: what it sends, and what of it nobody sees.
class FarSide {
 public:
  FarSide(Lab& lab, const ipc::InstallSession& session, const PathLoad& load);

  [[nodiscard]] const FrameStream& stream() const { return stream_; }
  // Its next frames, in these buffers.
  void seal(std::span<rte_mbuf* const> buffers);
  // The next ones take numbers, and are lost.
  void skip(std::size_t frames);

 private:
  static constexpr std::size_t batch = 64;
  static constexpr std::size_t unseen = 16;  // of a batch; few, so that they leave the caches alone

  FrameEngine engine_;
  SealKeys keys_;
  FrameStream stream_;
  OuterHeader header_ = far_header();
  std::vector<std::byte> scratch_;
  std::size_t next_ = 0;
};

class ClockedWire final : public WireEnd {
 public:
  ClockedWire(rte_mempool* pool, OwnClock& clock) : pool_(pool), clock_(clock), arrivals_(clock) {}

  // Where they are `endless` no number is left out.
  void offer(FarSide& far, double per_second, Time between_arp);
  [[nodiscard]] Arrivals& arrivals() { return arrivals_; }

  std::size_t receive(std::span<dataplane::PacketView> views) override {
    const std::size_t count = std::min(views.size(), arrivals_.wait());
    if (count != 0) clock_.stand_still([&] { fill(count); });
    return WireEnd::receive(views);
  }
  dataplane::KernelDrops kernel_drops() override { return {.received = arrivals_.lost()}; }

 private:
  void fill(std::size_t count);

  rte_mempool* pool_;
  OwnClock& clock_;
  Arrivals arrivals_;
  FarSide* far_ = nullptr;
  bool is_endless_ = false;
  std::uint64_t arp_every_ = 0;  // arrivals
  std::uint64_t next_ = 0;       // arrival
};

}  // namespace penstock::bench
