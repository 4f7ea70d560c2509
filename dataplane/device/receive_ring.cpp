#include "dataplane/device/receive_ring.hpp"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <atomic>

#include "penstock/base/limits.hpp"
#include "penstock/wire/virtio_net.hpp"

namespace penstock::dataplane {
namespace {

constexpr std::size_t long_capacity = (limits::max_packet + 63) / 64 * 64;

// The status word hands a slot from one side to the other: read it before, write it after
// everything else in the slot.
bool is_ours(tpacket2_hdr& slot) {
  return (std::atomic_ref(slot.tp_status).load(std::memory_order_acquire) & TP_STATUS_USER) != 0;
}

void give_back(tpacket2_hdr& slot) {
  std::atomic_ref(slot.tp_status).store(TP_STATUS_KERNEL, std::memory_order_release);
}

}  // namespace

ReceiveRing::ReceiveRing(int fd, RingView ring)
    : fd_(fd),
      ring_(ring),
      long_memory_(std::make_unique_for_overwrite<std::byte[]>(long_buffers * long_capacity)) {}

std::size_t ReceiveRing::receive(std::span<PacketView> views) {
  std::size_t count = 0;
  while (count < views.size() && taken_ < ring_.shape.slots()) {
    auto& slot = *ring_.header(next_);
    if (!is_ours(slot)) break;
    if ((slot.tp_status & TP_STATUS_COPY) != 0 && long_taken_ == long_buffers) break;
    if (view_slot(slot, views[count])) ++count;
    next_ = next_ + 1 == ring_.shape.slots() ? 0 : next_ + 1;
    ++taken_;
  }
  return count;
}

bool ReceiveRing::view_slot(tpacket2_hdr& slot, PacketView& view) {
  auto* const data = reinterpret_cast<std::byte*>(&slot) + slot.tp_mac;
  view = {.data = data, .length = slot.tp_len};
  if ((slot.tp_status & TP_STATUS_VLAN_VALID) != 0) {
    const bool has_tpid = (slot.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    view.vlan_tpid = has_tpid ? slot.tp_vlan_tpid : ETHERTYPE_VLAN;
    view.vlan_tci = slot.tp_vlan_tci;
  }
  if (slot.tp_len > slot.tp_snaplen) [[unlikely]]
    return read_long(slot, view);
  view.offload = read_virtio_net(
      ConstVirtioNetBytes{data - limits::virtio_net_header, limits::virtio_net_header});
  return true;
}

bool ReceiveRing::read_long(const tpacket2_hdr& slot, PacketView& view) {
  if ((slot.tp_status & TP_STATUS_COPY) == 0) {  // the socket's queue was full
    ++drops_;
    return false;
  }
  auto* const buffer = long_memory_.get() + long_taken_ * long_capacity;
  std::array<std::byte, limits::virtio_net_header> header;
  std::array<iovec, 2> parts{iovec{header.data(), header.size()}, iovec{buffer, long_capacity}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  auto length = recvmsg(fd_, &message, MSG_DONTWAIT | MSG_TRUNC);
  // An error left by a link that went down is reported once, in place of a packet.
  if (length < 0) length = recvmsg(fd_, &message, MSG_DONTWAIT | MSG_TRUNC);
  if (length != static_cast<ssize_t>(header.size() + slot.tp_len) || slot.tp_len > long_capacity) {
    ++drops_;
    return false;
  }
  ++long_taken_;
  view.data = buffer;
  view.offload = read_virtio_net(header);
  return true;
}

void ReceiveRing::release() {
  const auto slots = ring_.shape.slots();
  for (std::uint32_t back = taken_; back > 0; --back)
    give_back(*ring_.header(next_ >= back ? next_ - back : next_ + slots - back));
  taken_ = 0;
  long_taken_ = 0;
}

std::uint64_t ReceiveRing::drops() {
  tpacket_stats counted{};  // since it was last asked for
  socklen_t size = sizeof counted;
  if (getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &counted, &size) == 0)
    take_counts(counted.tp_packets, counted.tp_drops);
  return drops_;
}

void ReceiveRing::take_counts(std::uint32_t arrived, std::uint32_t dropped) {
  drops_ += dropped;
  if (is_jammed()) return;  // until start_over()
  if (arrived > dropped || is_ours(*ring_.header(next_))) {
    futile_looks_ = 0;
  } else if (dropped > 0) {
    ++futile_looks_;
  }
}

void ReceiveRing::start_over() {
  next_ = 0;
  taken_ = 0;
  long_taken_ = 0;
  futile_looks_ = 0;
}

}  // namespace penstock::dataplane
