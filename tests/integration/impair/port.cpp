#include "port.hpp"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

namespace impair {
namespace {

constexpr int receive_buffer = 64 << 20;  // a second of 500 Mbit/s while others have the core

void must(int result, const std::string& what) {
  if (result < 0) throw std::system_error{errno, std::generic_category(), what};
}

struct Messages {
  std::array<mmsghdr, Port::batch> headers{};
  std::array<iovec, Port::batch> parts{};

  void point(std::size_t at, Packet& packet, std::size_t size) {
    parts[at] = {.iov_base = packet.bytes.data(), .iov_len = size};
    headers[at].msg_hdr.msg_iov = &parts[at];
    headers[at].msg_hdr.msg_iovlen = 1;
  }
};

}  // namespace

Port::Port(const std::string& interface) {
  socket_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  must(socket_, "packet socket");
  const auto index = static_cast<int>(::if_nametoindex(interface.c_str()));
  const int on = 1;
  must(::setsockopt(socket_, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on), interface);
  must(::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer),
       interface);
  packet_mreq membership{};
  membership.mr_ifindex = index;
  membership.mr_type = PACKET_MR_PROMISC;
  must(::setsockopt(socket_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership),
       interface);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index;
  must(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), interface);
}

Port::~Port() {
  if (socket_ >= 0) ::close(socket_);
}

std::span<PacketPtr> Port::receive() {
  Messages messages;
  for (std::size_t i = 0; i < batch; ++i) {
    if (!buffers_[i]) buffers_[i] = std::make_unique_for_overwrite<Packet>();
    messages.point(i, *buffers_[i], Packet::max_size);
  }
  const int count = ::recvmmsg(socket_, messages.headers.data(), batch, MSG_DONTWAIT, nullptr);
  const auto received = static_cast<std::size_t>(std::max(0, count));
  for (std::size_t i = 0; i < received; ++i) buffers_[i]->size = messages.headers[i].msg_len;
  return std::span{buffers_}.first(received);
}

std::size_t Port::send(std::span<const PacketPtr> packets) {
  Messages messages;
  const std::size_t count = std::min(packets.size(), batch);
  for (std::size_t i = 0; i < count; ++i) messages.point(i, *packets[i], packets[i]->size);
  std::size_t taken = 0;
  for (std::size_t next = 0; next < count;) {
    const int sent =
        ::sendmmsg(socket_, &messages.headers[next], static_cast<unsigned>(count - next), 0);
    // The first of them was refused: the rest is asked for again without it.
    taken += static_cast<std::size_t>(std::max(0, sent));
    next += static_cast<std::size_t>(std::max(1, sent));
  }
  return taken;
}

std::uint64_t Port::kernel_dropped() {
  tpacket_stats stats{};  // cleared by reading
  socklen_t size = sizeof stats;
  if (::getsockopt(socket_, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
    kernel_dropped_ += stats.tp_drops;
  return kernel_dropped_;
}

}  // namespace impair
