#include "bench/dataplane/path_flood.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "bench/dataplane/path_maximum.hpp"
#include "penstock/base/check.hpp"
#include "penstock/base/limits.hpp"
#include "penstock/wire/outer.hpp"

#include "dataplane/buffer_stash.hpp"

namespace penstock::bench {
namespace {

using namespace dataplane;

constexpr std::size_t arp_packet = 60;
constexpr std::size_t arp_target = ethernet_header + 24;
constexpr std::size_t arp_stamp = ethernet_header + 28;
constexpr std::size_t frames_in_turn = 192;
// To whoever receives them, all gaps of more frames than wait behind one are alike.
constexpr std::uint64_t longest_gap = 256;
static_assert(longest_gap > limits::reorder_window);

}  // namespace

rte_mbuf* make_arp(rte_mempool* pool, Time stamp) {
  std::array<std::byte, arp_packet> arp{};
  std::fill_n(arp.begin(), 6, std::byte{0xff});
  store_be16(&arp[ethertype_at], ethertype_arp);
  std::ranges::copy(identity(1).endpoint.address.view(), &arp[arp_target]);
  put_stamp(&arp[arp_stamp], stamp);
  rte_mbuf* buffer = rte_pktmbuf_alloc(pool);
  check(buffer != nullptr, "a buffer for ARP");
  buffer->data_len = arp_packet;
  buffer->pkt_len = arp_packet;
  std::ranges::copy(arp, rte_pktmbuf_mtod(buffer, std::byte*));
  return buffer;
}

Time stamp_in_arp(rte_mbuf* packet) {
  return stamp_at(rte_pktmbuf_mtod(packet, const std::byte*) + arp_stamp);
}

FarSide::FarSide(Lab& lab, const ipc::InstallSession& session, const PathLoad& load)
    : engine_(lab.engine()),
      keys_(far_keys(engine_, session)),
      stream_(load, frames_in_turn),
      scratch_(unseen * path_frame) {}

void FarSide::seal(std::span<rte_mbuf* const> buffers) {
  std::array<SealJob, batch> jobs;
  const auto& plaintexts = stream_.plaintexts;
  for (std::size_t i = 0; i < buffers.size(); ++i)
    jobs[i] = {.keys = &keys_,
               .frame = put_frame(buffers[i], header_, plaintexts[next_++ % plaintexts.size()])};
  engine_.seal(std::span{jobs}.first(buffers.size()));
}

void FarSide::skip(std::size_t frames) {
  next_ += frames;
  while (frames > 0) {
    std::array<SealJob, batch> jobs;
    const std::size_t count = std::min(frames, unseen);
    for (std::size_t i = 0; i < count; ++i)
      jobs[i] = {.keys = &keys_, .frame = &scratch_[i * path_frame]};
    engine_.seal(std::span{jobs}.first(count));
    frames -= count;
  }
}

void ClockedWire::offer(FarSide& far, double per_second, Time between_arp) {
  far_ = &far;
  is_endless_ = per_second >= endless;
  arp_every_ = static_cast<std::uint64_t>(
      std::max(1.0, per_second * std::chrono::duration<double>(between_arp).count()));
  next_ = 0;
  arrivals_.begin(per_second);
}

// Frames between two lost ones are sealed together.
void ClockedWire::fill(std::size_t count) {
  std::array<rte_mbuf*, 64> run;
  std::size_t length = 0;
  const auto bring_run = [&] {
    far_->seal(std::span{run}.first(length));
    bring(std::span{run}.first(length));
    length = 0;
  };
  for (; count > 0; --count) {
    if (length == run.size()) bring_run();
    const std::uint64_t number = arrivals_.take();
    if (number != next_) {
      bring_run();
      if (!is_endless_) far_->skip(std::min(number - next_, longest_gap));
    }
    next_ = number + 1;
    if (number % arp_every_ == 0) {
      bring_run();
      rte_mbuf* arp = make_arp(pool_, arrivals_.at(number));
      bring(std::span{&arp, 1});
      continue;
    }
    run[length] = rte_pktmbuf_alloc(pool_);
    check(run[length++] != nullptr, "enough buffers");
  }
  bring_run();
}

}  // namespace penstock::bench
