#include "dataplane/device/packet_socket.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "penstock/base/limits.hpp"

#include "dataplane/device/kernel_filter.hpp"

namespace penstock::dataplane {
namespace {

constexpr std::size_t mega = std::size_t{1} << 20;

// Receive slots hold what is at most an MTU long; longer packets (segmentation still to do)
// come as a copy beside the ring, see receive_ring.hpp. So a few megabytes hold thousands of
// packets, where slots of 64 KiB would hold dozens.
constexpr std::size_t max_receive_slot = 9216 + 256;
constexpr std::size_t receive_slot_overhead = 128;  // slot header, addresses, virtio-net header
constexpr std::size_t transmit_slot_overhead = 64;  // slot header, virtio-net header
constexpr std::size_t link_overhead = 14 + 8;       // Ethernet header, two VLAN tags
constexpr std::size_t receive_memory_plain = 6 * mega;
constexpr std::size_t receive_memory_wire = 4 * mega;
constexpr std::size_t transmit_memory_plain = 8 * mega;
constexpr std::size_t transmit_memory_wire = 1 * mega;
// Sockets that share an interface share the memory to send from, but each has so much at least: a
// burst of large packets must fit, whoever's it is. Each has a whole ring to receive to: a lane, or
// a flow, is one socket's, and what comes in a burst does not roll over to the others.
constexpr std::size_t least_transmit_memory_plain = 4 * mega;
constexpr std::size_t least_transmit_memory_wire = mega / 2;

// Kernel memory for copies beside the ring, and for packets on their way out (the ring itself
// is the limit that matters there).
constexpr int receive_buffer = 16 << 20;
constexpr int send_buffer = 16 << 20;

template <class T>
bool set(int fd, int level, int option, const T& value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

constexpr int access = PROT_READ | PROT_WRITE;

tpacket_req request_of(const RingShape& shape) {
  return {.tp_block_size = shape.slot_size * shape.block_slots,
          .tp_block_nr = shape.blocks,
          .tp_frame_size = shape.slot_size,
          .tp_frame_nr = shape.slots()};
}

}  // namespace

RingShape RingShape::fit(std::size_t slot_bytes, std::size_t memory) {
  // Four slots of whole kilobytes are whole pages.
  const auto slot = (slot_bytes + 1023) / 1024 * 1024;
  const auto block_slots = std::max<std::size_t>(mega / slot / 4, 1) * 4;
  const auto blocks = std::max<std::size_t>(memory / (slot * block_slots), 1);
  return {.slot_size = static_cast<std::uint32_t>(slot),
          .block_slots = static_cast<std::uint32_t>(block_slots),
          .blocks = static_cast<std::uint32_t>(blocks)};
}

tpacket2_hdr* RingView::header(std::uint32_t slot) const {
  return reinterpret_cast<tpacket2_hdr*>(base + std::size_t{slot} * shape.slot_size);
}

Result<PacketSocket> PacketSocket::open(const KernelInterface& interface, PortSide side,
                                        unsigned members, Fanout* fanout) {
  PacketSocket socket;
  // Protocol 0 receives nothing; bind() names the real one when everything is in place.
  socket.fd_.reset(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.fd_ && (errno == EPERM || errno == EACCES))
    return fail(ErrorKind::permission,
                fmt::format("no permission to open interface {}: run as root or with CAP_NET_RAW",
                            interface.name));
  if (!socket.fd_) return fail_errno("cannot open a packet socket", errno);

  const bool plain = side == PortSide::plain;
  const auto packet = interface.mtu + link_overhead;
  const auto share = [&](std::size_t all, std::size_t least) {
    return members == 1 ? all : std::max(all / members, least);
  };
  socket.receive_ = RingShape::fit(std::min(packet + receive_slot_overhead, max_receive_slot),
                                   plain ? receive_memory_plain : receive_memory_wire);
  socket.transmit_ =
      RingShape::fit((plain ? limits::max_packet : packet) + transmit_slot_overhead,
                     plain ? share(transmit_memory_plain, least_transmit_memory_plain)
                           : share(transmit_memory_wire, least_transmit_memory_wire));
  auto ready = socket.configure();
  if (ready) ready = socket.map_rings();
  if (ready) ready = socket.listen(interface, side);
  if (ready && fanout != nullptr) ready = Fanout::shut(socket.fd());
  if (ready) ready = socket.bind(interface);
  if (ready && fanout != nullptr) ready = fanout->join(socket.fd());
  if (!ready)
    return fail(ready.error().kind,
                fmt::format("interface {}: {}", interface.name, ready.error().message));
  return socket;
}

Result<void> PacketSocket::configure() {
  const int fd = fd_.get();
  const int version = TPACKET_V2;
  const int on = 1;
  if (!set(fd, SOL_PACKET, PACKET_VERSION, version) || !set(fd, SOL_PACKET, PACKET_VNET_HDR, on))
    return fail_errno("the kernel lacks packet rings with virtio-net headers", errno);
  // A packet the kernel finds fault with is skipped and does not block those behind it.
  if (!set(fd, SOL_PACKET, PACKET_LOSS, on) || !set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, on))
    return fail_errno("the kernel lacks PACKET_IGNORE_OUTGOING (Linux 4.20)", errno);
  // Packets that overflow a slot come whole through recv().
  if (!set(fd, SOL_PACKET, PACKET_COPY_THRESH, on))
    return fail_errno("cannot ask for copies of long packets", errno);
  if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer))
    (void)set(fd, SOL_SOCKET, SO_RCVBUF, receive_buffer);
  if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, send_buffer))
    (void)set(fd, SOL_SOCKET, SO_SNDBUF, send_buffer);
  // Without the mark the kernel shut-off's filter would drop what we send. No PACKET_QDISC_BYPASS:
  // it drops where the device's own queue is full, and the queue discipline costs little.
  if (!set(fd, SOL_SOCKET, SO_MARK, packet_mark)) return fail_errno("cannot mark packets", errno);
  return {};
}

Result<void> PacketSocket::map_rings() {
  const int fd = fd_.get();
  if (!set(fd, SOL_PACKET, PACKET_RX_RING, request_of(receive_)) ||
      !set(fd, SOL_PACKET, PACKET_TX_RING, request_of(transmit_)))
    return fail_errno("the kernel has no memory for packet rings", errno);
  const auto bytes = receive_.bytes() + transmit_.bytes();
  void* memory = mmap(nullptr, bytes, access, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (memory == MAP_FAILED) return fail_errno("cannot map packet rings", errno);
  memory_ = {static_cast<std::byte*>(memory), bytes};
  // The kernel never swaps these pages; they must stay out of core files as well.
  (void)madvise(memory, bytes, MADV_DONTDUMP);
  return {};
}

// A ring can be replaced only while nobody maps it, and the mapping is of both rings. Memory of
// no use holds its place meanwhile: a receive ring where nothing arrives, a transmit ring whose
// requests nobody sees.
PacketSocket::Renewal PacketSocket::renew_receive_ring() {
  const int fd = fd_.get();
  const auto map_in_place = [this](int flags, int from) {
    return mmap(memory_.data(), memory_.size(), access, flags | MAP_FIXED, from, 0) != MAP_FAILED;
  };
  const auto hold_place = [&] { return map_in_place(MAP_PRIVATE | MAP_ANONYMOUS, -1); };
  if (!hold_place()) return Renewal::untouched;
  if (!set(fd, SOL_PACKET, PACKET_RX_RING, tpacket_req{})) return Renewal::untouched;
  if (!set(fd, SOL_PACKET, PACKET_RX_RING, request_of(receive_))) return Renewal::halfway;
  if (!map_in_place(MAP_SHARED | MAP_POPULATE, fd)) {
    const int error = errno;
    (void)hold_place();
    errno = error;
    return Renewal::halfway;
  }
  (void)madvise(memory_.data(), memory_.size(), MADV_DONTDUMP);
  return Renewal::renewed;
}

Result<void> PacketSocket::listen(const KernelInterface& interface, PortSide side) const {
  // The plain port carries everybody's packets; the wire port its own address and multicast
  // (neighbour discovery).
  const packet_mreq membership{
      .mr_ifindex = interface.index,
      .mr_type = static_cast<unsigned short>(side == PortSide::plain ? PACKET_MR_PROMISC
                                                                     : PACKET_MR_ALLMULTI)};
  if (!set(fd_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership))
    return fail_errno("cannot listen to all addresses", errno);
  return {};
}

Result<void> PacketSocket::bind(const KernelInterface& interface) const {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = interface.index;
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno("cannot bind to it", errno);
  return {};
}

PacketSocket::PacketSocket(PacketSocket&& other) noexcept
    : fd_(std::move(other.fd_)),
      receive_(other.receive_),
      transmit_(other.transmit_),
      memory_(std::exchange(other.memory_, {})) {}

PacketSocket::~PacketSocket() {
  if (!memory_.empty()) munmap(memory_.data(), memory_.size());
}

}  // namespace penstock::dataplane
