// Measured traffic between two hosts, for what it costs to carry.
//   penstock-load send INTERFACE SECONDS RATE SIZE...    prints how many packets it sent
//   penstock-load receive INTERFACE SECONDS              prints how many came, and the nanoseconds
//                                                        that half and that 99 % of them took
// Packets have these sizes in turn; RATE of them a second, evenly; 0: as fast as it can. Each says
// when it was sent, by the clock that both share. `receive` ends when SECONDS are over.
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
using namespace std::chrono_literals;

constexpr std::uint16_t ethertype = 0x88b5;  // for experiments (IEEE 802)
constexpr std::size_t time_at = 14;
constexpr std::size_t shortest = time_at + sizeof(std::int64_t);
constexpr std::size_t longest = 9216;
constexpr unsigned batch = 64;
// To sleep for less costs more than it saves, and makes bursts of an even stream.
constexpr auto least_sleep = 200us;

std::uint16_t big_endian(std::uint16_t value) {
  return static_cast<std::uint16_t>(value << 8 | value >> 8);
}

std::int64_t nanoseconds() { return Clock::now().time_since_epoch() / 1ns; }

int open_socket(const char* interface) {
  const int socket = ::socket(AF_PACKET, SOCK_RAW, 0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = big_endian(ethertype);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
  const int yes = 1;
  const int room = 64 << 20;
  ::setsockopt(socket, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  return ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? socket : -1;
}

// --- send ----------------------------------------------------------------------------------

struct Batch {
  std::array<std::array<unsigned char, longest>, batch> bytes{};
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> messages{};

  Batch() {
    for (unsigned i = 0; i < batch; ++i) {
      bytes[i] = {2, 0, 0, 0, 0x0b, 1, 2, 0, 0, 0, 0x0a, 1, ethertype >> 8, ethertype & 0xff};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
  unsigned send(int socket, const std::vector<std::size_t>& sizes, std::uint64_t first,
                unsigned count) {
    const std::int64_t now = nanoseconds();
    for (unsigned i = 0; i < count; ++i) {
      std::memcpy(&bytes[i][time_at], &now, sizeof now);
      parts[i] = {.iov_base = bytes[i].data(), .iov_len = sizes[(first + i) % sizes.size()]};
    }
    return static_cast<unsigned>(std::max(0, ::sendmmsg(socket, messages.data(), count, 0)));
  }
};

int send(const char* interface, Seconds length, double rate,
         const std::vector<std::size_t>& sizes) {
  const int socket = open_socket(interface);
  if (socket < 0) return std::perror("penstock-load"), 1;
  static Batch packets;
  const auto began = Clock::now();
  std::uint64_t sent = 0;
  for (;;) {
    const Seconds passed = Clock::now() - began;
    if (passed >= length) break;
    const double due = rate > 0 ? rate * passed.count() - static_cast<double>(sent) : batch;
    if (due < 1) {
      const Seconds left{(1 - due) / rate};
      if (left > least_sleep) std::this_thread::sleep_for(left - least_sleep);
      continue;
    }
    sent += packets.send(socket, sizes, sent,
                         static_cast<unsigned>(std::min(due, static_cast<double>(batch))));
  }
  std::printf("%llu\n", static_cast<unsigned long long>(sent));
  return 0;
}

// --- receive -------------------------------------------------------------------------------

struct Arrivals {
  std::array<std::array<unsigned char, shortest>, batch> heads{};
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> messages{};
  std::vector<std::int64_t> took;

  Arrivals() {
    took.reserve(std::size_t{1} << 22);
    for (unsigned i = 0; i < batch; ++i) {
      parts[i] = {.iov_base = heads[i].data(), .iov_len = shortest};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
  void receive(int socket) {
    const int count = ::recvmmsg(socket, messages.data(), batch, MSG_WAITFORONE, nullptr);
    const std::int64_t now = nanoseconds();
    for (int i = 0; i < count; ++i) {
      std::int64_t sent = 0;
      std::memcpy(&sent, &heads[static_cast<std::size_t>(i)][time_at], sizeof sent);
      took.push_back(now - sent);
    }
  }
  std::int64_t percentile(std::size_t percent) {
    if (took.empty()) return 0;
    const auto at = took.begin() + static_cast<std::ptrdiff_t>(took.size() * percent / 100);
    std::nth_element(took.begin(), at, took.end());
    return *at;
  }
};

int receive(const char* interface, Seconds length) {
  const int socket = open_socket(interface);
  if (socket < 0) return std::perror("penstock-load"), 1;
  const timeval look{.tv_sec = 0, .tv_usec = 50'000};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof look);
  std::puts("ready");
  std::fflush(stdout);
  static Arrivals arrivals;
  for (const auto began = Clock::now(); Clock::now() - began < length;) arrivals.receive(socket);
  const std::int64_t half = arrivals.percentile(50);
  std::printf("%zu %lld %lld\n", arrivals.took.size(), static_cast<long long>(half),
              static_cast<long long>(arrivals.percentile(99)));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 3 ? argv[1] : "";
  if (verb == "receive" && argc == 4) return receive(argv[2], Seconds{std::stod(argv[3])});
  std::vector<std::size_t> sizes;
  for (int i = 5; i < argc; ++i)
    sizes.push_back(std::clamp(std::stoul(argv[i]), shortest, longest));
  if (verb == "send" && !sizes.empty())
    return send(argv[2], Seconds{std::stod(argv[3])}, std::stod(argv[4]), sizes);
  std::fputs("penstock-load send INTERFACE SECONDS RATE SIZE... | receive INTERFACE SECONDS\n",
             stderr);
  return 2;
}
