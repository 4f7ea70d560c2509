// penstock-flood INTERFACE|- SECONDS RATE PACKETS: sends whole packets in turn, RATE of them a
// second or as fast as it can, and prints how many, and in how many milliseconds, at the end.
//
// PACKETS is a file of entries: a byte of Change bits, be16 length, the packet. `-` for the
// interface: all the same work, sent to nobody (a socket that is never read).
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// What is random in each copy of a packet, at fixed places: Ethernet, IPv4 without options, UDP.
enum Change : std::uint8_t {
  source = 1,  // the low bytes of the IPv4 source address, and the UDP source port
  key_id = 2,
  nonce = 4,
};
constexpr std::size_t ip = 14;
constexpr std::size_t udp = ip + 20;
constexpr std::size_t payload = udp + 8;
constexpr std::size_t batch = 64;

struct Template {
  std::uint8_t changes = 0;
  std::vector<unsigned char> bytes;
};

std::vector<Template> read_templates(const char* path) {
  std::ifstream file{path, std::ios::binary};
  std::vector<Template> templates;
  std::array<char, 3> head{};
  while (file.read(head.data(), head.size())) {
    const auto high = static_cast<unsigned char>(head[1]);
    const auto low = static_cast<unsigned char>(head[2]);
    Template one{.changes = static_cast<std::uint8_t>(head[0]), .bytes = {}};
    one.bytes.resize(static_cast<std::size_t>(high) << 8 | low);
    file.read(reinterpret_cast<char*>(one.bytes.data()),
              static_cast<std::streamsize>(one.bytes.size()));
    templates.push_back(std::move(one));
  }
  return templates;
}

void finish_ip_checksum(unsigned char* packet) {
  packet[ip + 10] = packet[ip + 11] = 0;
  std::uint32_t sum = 0;
  for (std::size_t at = ip; at < udp; at += 2)
    sum += static_cast<std::uint32_t>(packet[at]) << 8 | packet[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  packet[ip + 10] = static_cast<unsigned char>(~sum >> 8);
  packet[ip + 11] = static_cast<unsigned char>(~sum);
}

void fill(unsigned char* at, std::size_t size, std::mt19937_64& dice) {
  for (std::size_t i = 0; i < size; ++i) at[i] = static_cast<unsigned char>(dice());
}

void change(Template& one, std::mt19937_64& dice) {
  unsigned char* const packet = one.bytes.data();
  if ((one.changes & source) != 0) {
    fill(&packet[ip + 14], 2, dice);
    fill(&packet[udp], 2, dice);
    finish_ip_checksum(packet);
  }
  if ((one.changes & key_id) != 0) fill(&packet[payload + 4], 8, dice);
  if ((one.changes & nonce) != 0) fill(&packet[payload + 12], 32, dice);
}

// A packet socket; or one that takes everything as well, and nobody hears.
int open_sink(const std::string& interface) {
  if (interface == "-") {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends.data()) != 0) return -1;
    std::thread{[end = ends[1]] {
      std::array<char, 2048> nothing{};
      while (::recv(end, nothing.data(), nothing.size(), 0) > 0) continue;
    }}.detach();
    return ends[0];
  }
  const int socket = ::socket(AF_PACKET, SOCK_RAW, 0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  return ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? socket : -1;
}

unsigned send_some(int sink, std::vector<Template>& templates, std::size_t first, unsigned count,
                   std::mt19937_64& dice) {
  std::array<mmsghdr, batch> messages{};
  std::array<iovec, batch> parts{};
  for (unsigned i = 0; i < count; ++i) {
    Template& one = templates[(first + i) % templates.size()];
    change(one, dice);
    parts[i] = {.iov_base = one.bytes.data(), .iov_len = one.bytes.size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  return static_cast<unsigned>(std::max(0, ::sendmmsg(sink, messages.data(), count, 0)));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int sink = open_sink(argv[1]);
  auto templates = read_templates(argv[4]);
  if (sink < 0 || templates.empty()) {
    std::perror("penstock-flood");
    return 1;
  }
  const std::chrono::duration<double> length{std::stod(argv[2])};
  const double rate = std::stod(argv[3]);
  std::mt19937_64 dice{7670};
  const auto began = Clock::now();
  std::uint64_t sent = 0;
  for (;;) {
    const std::chrono::duration<double> passed = Clock::now() - began;
    if (passed >= length) break;
    const double due = rate * passed.count() - static_cast<double>(sent);
    if (due < 1) {
      std::this_thread::sleep_for(100us);
      continue;
    }
    const auto count = static_cast<unsigned>(
        std::min({due, static_cast<double>(batch), static_cast<double>(templates.size())}));
    sent += send_some(sink, templates, sent % templates.size(), count, dice);
  }
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  std::printf("%llu %lld\n", static_cast<unsigned long long>(sent),
              static_cast<long long>(passed.count()));
  return 0;
}
