#include "dataplane/device/af_packet_port.hpp"

#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <rte_mbuf.h>

#include "penstock/base/check.hpp"
#include "penstock/base/clock.hpp"
#include "penstock/base/log.hpp"

namespace penstock::dataplane {
namespace {

// An interface that goes down leaves an error on its socket, which wakes sleepers until
// somebody takes it: look after this many empty turns.
constexpr unsigned turns_between_looks = 256;

// As long as a packet may be that is sent as it is: an Ethernet header, two tags, an MTU.
std::uint32_t whole_limit(const KernelInterface& interface) { return 14u + 8u + interface.mtu; }

bool copy_packet(const rte_mbuf* packet, TxSlot& slot) {
  slot.length = 0;
  if (packet->pkt_len > slot.capacity) return false;
  for (; packet != nullptr; packet = packet->next) {
    std::memcpy(slot.data + slot.length, rte_pktmbuf_mtod(packet, const std::byte*),
                packet->data_len);
    slot.length += packet->data_len;
  }
  return true;
}

}  // namespace

AfPacketQueue::AfPacketQueue(PacketSocket socket, KernelInterface interface, Fanout* fanout,
                             unsigned member)
    : socket_(std::move(socket)),
      interface_(std::move(interface)),
      fanout_(fanout),
      member_(member),
      receive_(socket_.fd(), socket_.receive_ring()),
      transmit_(socket_.fd(), socket_.transmit_ring(), whole_limit(interface_)) {}

std::size_t AfPacketQueue::receive(std::span<PacketView> views) {
  const auto count = receive_.receive(views);
  if (count == 0) {
    if (++empty_turns_ >= turns_between_looks) look_for_error();
  } else if (link_ == Link::down) [[unlikely]] {
    note_up();
  }
  return count;
}

std::span<TxSlot> AfPacketQueue::reserve(std::size_t wanted) {
  if (link_ == Link::gone) [[unlikely]]
    return {};
  return transmit_.reserve(wanted);
}

std::size_t AfPacketQueue::commit(std::size_t used) {
  int error = 0;
  const auto accepted = transmit_.commit(used, error);
  if (error == ENETDOWN || error == ENXIO || error == ENODEV) [[unlikely]]
    note_down(error);
  else if (link_ == Link::down && accepted > 0) [[unlikely]]
    note_up();
  return accepted;
}

std::size_t AfPacketQueue::send(std::span<rte_mbuf*> packets) {
  std::size_t accepted = 0;
  for (auto rest = packets; !rest.empty();) {
    const auto slots = reserve(rest.size());
    std::size_t used = 0;
    while (used < slots.size() && copy_packet(rest[used], slots[used])) ++used;
    const auto sent = commit(used);
    accepted += sent;
    if (sent == 0 || sent < slots.size()) break;
    rest = rest.subspan(sent);
  }
  rte_pktmbuf_free_bulk(packets.data(), static_cast<unsigned>(packets.size()));
  return accepted;
}

KernelDrops AfPacketQueue::kernel_drops() {
  const KernelDrops drops{.received = receive_.drops()};
  if (receive_.is_jammed()) [[unlikely]]
    unjam();
  if (fanout_ != nullptr) fanout_->mend(socket_.fd());
  return drops;
}

void AfPacketQueue::look_for_error() {
  empty_turns_ = 0;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(socket_.fd(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0)
    note_down(error);
}

void AfPacketQueue::note_down(int error) {
  if (link_ == Link::gone) return;
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(static_cast<unsigned>(interface_.index), name.data()) == nullptr) {
    link_ = Link::gone;
    log::error(fmt::format("interface {} has vanished", interface_.name));
  } else if (link_ == Link::up) {
    link_ = Link::down;
    if (fanout_ != nullptr) fanout_->was_down(socket_.fd());
    log::warn(fmt::format("interface {} is down: {}", interface_.name, std::strerror(error)));
  }
}

void AfPacketQueue::note_up() {
  link_ = Link::up;
  log::info(fmt::format("interface {} is up again", interface_.name));
}

// Tried again at every look until it succeeds.
void AfPacketQueue::unjam() {
  const auto renewal = socket_.renew_receive_ring();
  const int error = errno;
  // Its place in the fanout has changed, whether or not it has a ring again.
  if (renewal != PacketSocket::Renewal::untouched && fanout_ != nullptr)
    fanout_->rejoined(member_, socket_.fd());
  const bool renewed = renewal == PacketSocket::Renewal::renewed;
  if (renewed) {
    receive_.start_over();
    ++jams_;
  }
  unsigned untold = 0;
  if (!jam_lines_.allow(monotonic_now(), untold)) return;
  if (renewed)
    log::warn(fmt::format(
        "a packet with segmentation of a kind the kernel cannot hand over (UFO, SCTP) jammed the "
        "receive ring of interface {}, so it was renewed ({} times by now): turn that offload off "
        "where the packets come from",
        interface_.name, jams_));
  else
    log::error(fmt::format("the jammed receive ring of interface {} cannot be renewed yet: {}",
                           interface_.name, std::strerror(error)));
}

Result<std::unique_ptr<Port>> AfPacketPort::open(const PortConfig& config, const PortSetup& setup) {
  auto interface = find_interface(config.device);
  if (!interface) return std::unexpected(interface.error());
  auto port =
      std::make_unique<AfPacketPort>(PortInfo{.name = "af_packet:" + config.device,
                                              .mac = interface->mac,
                                              .mtu = interface->mtu,
                                              .takes_offload = setup.side == PortSide::plain,
                                              .spreads = PortInfo::Spreads::by_device});
  if (auto added = port->add_queues(*interface, setup); !added)
    return std::unexpected(added.error());
  return port;
}

Result<void> AfPacketPort::add_queues(const KernelInterface& interface, const PortSetup& setup) {
  if (setup.workers > 1)
    fanout_ = std::make_unique<Fanout>(setup.side == PortSide::wire ? std::optional{setup.udp_port}
                                                                    : std::nullopt);
  std::vector<int> members;
  for (unsigned worker = 0; worker < setup.workers; ++worker) {
    auto socket = PacketSocket::open(interface, setup.side, setup.workers, fanout_.get());
    if (!socket) return std::unexpected(socket.error());
    members.push_back(socket->fd());
    queues_.push_back(
        std::make_unique<AfPacketQueue>(*std::move(socket), interface, fanout_.get(), worker));
  }
  if (fanout_ == nullptr) return {};
  if (auto opened = fanout_->open(members); !opened)
    return fail(opened.error().kind,
                fmt::format("interface {}: {}", interface.name, opened.error().message));
  return {};
}

PortQueue& AfPacketPort::queue(unsigned index) {
  check(index < queues_.size(), "no such queue");
  return *queues_[index];
}

}  // namespace penstock::dataplane
