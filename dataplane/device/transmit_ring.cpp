#include "dataplane/device/transmit_ring.hpp"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "penstock/base/limits.hpp"
#include "penstock/wire/virtio_net.hpp"

namespace penstock::dataplane {
namespace {

// Where the kernel looks for the packet in a slot: the virtio-net header, then Ethernet.
constexpr std::size_t header_offset = TPACKET2_HDRLEN - sizeof(sockaddr_ll);
constexpr std::size_t data_offset = header_offset + limits::virtio_net_header;
constexpr std::uint32_t ethernet_header = 14;

// Whole packets up to this length are said to be all header: the kernel then copies them at
// once, where it would lend out the slot's page and often copy that later (380 against 480 ns
// a packet over veth).
constexpr std::uint32_t linear_limit = 2048;

std::uint32_t status_of(tpacket2_hdr& slot) {
  return std::atomic_ref(slot.tp_status).load(std::memory_order_acquire);
}

void set_status(tpacket2_hdr& slot, std::uint32_t status) {
  std::atomic_ref(slot.tp_status).store(status, std::memory_order_release);
}

}  // namespace

TransmitRing::TransmitRing(int fd, RingView ring, std::uint32_t whole_limit)
    : fd_(fd), ring_(ring), whole_limit_(whole_limit) {}

std::uint32_t TransmitRing::place(std::uint32_t index) const {
  const auto slot = next_ + index;
  return slot < ring_.shape.slots() ? slot : slot - ring_.shape.slots();
}

std::span<TxSlot> TransmitRing::reserve(std::size_t wanted) {
  const auto most = std::min({wanted, max_burst, std::size_t{ring_.shape.slots()}});
  std::uint32_t count = 0;
  for (; count < most; ++count) {
    auto* const header = ring_.header(place(count));
    if (status_of(*header) != TP_STATUS_AVAILABLE) break;
    slots_[count] = {.data = reinterpret_cast<std::byte*>(header) + data_offset,
                     .capacity = ring_.shape.slot_size - static_cast<std::uint32_t>(data_offset)};
  }
  return {slots_.data(), count};
}

std::size_t TransmitRing::commit(std::size_t used, int& error) {
  error = 0;
  if (used == 0) return 0;
  const auto requested = static_cast<std::uint32_t>(used);
  std::uint32_t refused = 0;
  for (std::uint32_t index = 0; index < requested; ++index)
    if (!fill(slots_[index], index)) ++refused;

  if (::send(fd_, nullptr, 0, MSG_DONTWAIT) < 0) [[unlikely]]
    error = errno;
  // Out of memory halfway, the kernel does not call it an error: the last slot tells.
  auto taken = requested;
  if (status_of(*ring_.header(place(requested - 1))) == TP_STATUS_SEND_REQUEST) [[unlikely]]
    taken = take_back(requested);
  next_ = place(taken);
  return taken - std::min(refused, taken);
}

// A packet that must not go out becomes an empty one, which the kernel skips (PACKET_LOSS):
// the slots behind it are filled already.
bool TransmitRing::fill(const TxSlot& slot, std::uint32_t index) {
  const bool whole = slot.offload.gso_type == VirtioNetHeader::gso_none;
  const bool fits = slot.length >= ethernet_header && slot.length <= slot.capacity &&
                    (slot.length <= whole_limit_ || !whole);
  auto offload = slot.offload;
  if (whole && slot.length <= linear_limit)
    offload.header_length = static_cast<std::uint16_t>(slot.length);
  write_virtio_net(VirtioNetBytes{slot.data - limits::virtio_net_header, limits::virtio_net_header},
                   offload);
  auto& header = *ring_.header(place(index));
  header.tp_len = fits ? slot.length + static_cast<std::uint32_t>(limits::virtio_net_header) : 0;
  set_status(header, TP_STATUS_SEND_REQUEST);
  return fits;
}

// The kernel works on requested slots only while we are inside its system call, so those it
// left are ours again: nothing stale waits for a link to come back. Returns how many it took.
std::uint32_t TransmitRing::take_back(std::uint32_t requested) {
  std::uint32_t taken = 0;
  while (taken < requested && status_of(*ring_.header(place(taken))) != TP_STATUS_SEND_REQUEST)
    ++taken;
  for (auto index = taken; index < requested; ++index)
    set_status(*ring_.header(place(index)), TP_STATUS_AVAILABLE);
  return taken;
}

}  // namespace penstock::dataplane
