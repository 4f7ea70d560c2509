#include "dataplane/device/fanout.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <numeric>

#include "penstock/base/limits.hpp"
#include "penstock/wire/frame.hpp"
#include "penstock/wire/outer.hpp"

// Headers older than Linux 5.18 lack it; kernels older than that do not look at it.
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

namespace penstock::dataplane {
namespace {

constexpr std::uint32_t everything = 0x7fffffff;
constexpr std::uint32_t packet_type = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE);
constexpr std::uint32_t ethertype = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PROTOCOL);

constexpr sock_filter load_word(std::uint32_t at) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at); }
constexpr sock_filter load_half(std::uint32_t at) { return BPF_STMT(BPF_LD | BPF_H | BPF_ABS, at); }
constexpr sock_filter load_byte(std::uint32_t at) { return BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at); }
constexpr sock_filter answer(std::uint32_t value) { return BPF_STMT(BPF_RET | BPF_K, value); }
// Skips so many of the next instructions.
constexpr sock_filter unless_equal(std::uint32_t value, std::uint8_t skipped) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}
constexpr sock_filter if_any_bit(std::uint32_t bits, std::uint8_t skipped) {
  return BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, skipped, 0);
}

void append(std::vector<sock_filter>& program, const std::vector<sock_filter>& more) {
  program.insert(program.end(), more.begin(), more.end());
}

// From a UDP header on: the SPI is in the accumulator, or places[0] is the answer.
std::vector<sock_filter> load_spi(std::uint32_t udp, std::uint16_t port, std::uint8_t first) {
  const std::uint32_t frame = udp + static_cast<std::uint32_t>(udp_header);
  return {load_half(udp + 2),
          unless_equal(port, 2),
          load_byte(frame + static_cast<std::uint32_t>(frame_layout::type)),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(PacketType::data), 1, 0),
          answer(first),
          load_word(frame + static_cast<std::uint32_t>(frame_layout::spi))};
}

// The accumulator is an SPI.
std::vector<sock_filter> choose(std::span<const std::uint8_t> places) {
  std::vector<sock_filter> program{
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, limits::max_lanes - 1),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, static_cast<std::uint32_t>(places.size()))};
  for (std::uint32_t worker = 0; worker < places.size(); ++worker)
    append(program, {unless_equal(worker, 1), answer(places[worker])});
  program.push_back(answer(places[0]));
  return program;
}

bool attach(int fd, std::span<sock_filter> program) {
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                          .filter = program.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

}  // namespace

std::vector<sock_filter> lane_program(std::uint16_t port, std::span<const std::uint8_t> places) {
  const std::uint8_t first = places[0];
  std::vector<sock_filter> v4{load_byte(0),
                              unless_equal(0x45, 5),
                              load_byte(9),
                              unless_equal(protocol_udp, 3),
                              load_half(6),
                              if_any_bit(ipv4_fragment_bits, 1),
                              BPF_STMT(BPF_JMP | BPF_JA, 1),
                              answer(first)};
  append(v4, load_spi(static_cast<std::uint32_t>(ipv4_header), port, first));
  append(v4, choose(places));
  std::vector<sock_filter> program{
      load_half(ethertype),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 1),
      BPF_STMT(BPF_JMP | BPF_JA, 3),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 1),
      BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(v4.size()) + 1),
      answer(first)};
  append(program, v4);
  append(program,
         {load_byte(6), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocol_udp, 1, 0), answer(first)});
  append(program, load_spi(static_cast<std::uint32_t>(ipv6_header), port, first));
  append(program, choose(places));
  return program;
}

Result<void> Fanout::shut(int fd) {
  std::array program{answer(0)};
  if (!attach(fd, program)) return fail_errno("cannot filter packets", errno);
  return {};
}

Result<void> Fanout::join(int fd) {
  const int kind =
      (frame_port_ ? PACKET_FANOUT_CBPF : PACKET_FANOUT_HASH) | PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
  const bool is_first = places_.empty();
  const int group = is_first ? (kind | PACKET_FANOUT_FLAG_UNIQUEID) << 16 : id_ | kind << 16;
  if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &group, sizeof group) != 0)
    return fail_errno("the kernel cannot share it between workers (PACKET_FANOUT); say workers = 1",
                      errno);
  int joined = 0;
  socklen_t size = sizeof joined;
  if (is_first && getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &joined, &size) != 0)
    return fail_errno("the kernel does not name its group of sockets", errno);
  if (is_first) id_ = joined & 0xffff;
  places_.push_back(static_cast<std::uint8_t>(places_.size()));
  return {};
}

Result<void> Fanout::open(std::span<const int> members) const {
  if (!load(members.front()))
    return fail_errno("the kernel takes no program to spread lanes", errno);
  std::array program{load_word(packet_type), unless_equal(PACKET_OUTGOING, 1), answer(0),
                     answer(everything)};
  for (const int fd : members)
    if (!attach(fd, program)) return fail_errno("cannot filter packets", errno);
  return {};
}

bool Fanout::load(int fd) const {
  if (!frame_port_) return true;
  auto program = lane_program(*frame_port_, places_);
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                          .filter = program.data()};
  return setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &filter, sizeof filter) == 0;
}

void Fanout::rejoined(unsigned member, int fd) {
  const std::scoped_lock lock{mutex_};
  const auto last = static_cast<std::uint8_t>(places_.size() - 1);
  const std::uint8_t left = places_[member];
  std::ranges::replace(places_, last, left);
  places_[member] = last;
  reload(fd);
}

void Fanout::was_down(int fd) {
  const std::scoped_lock lock{mutex_};
  std::iota(places_.begin(), places_.end(), std::uint8_t{0});
  reload(fd);
}

void Fanout::mend(int fd) {
  if (!is_stale_.load(std::memory_order_relaxed)) [[likely]]
    return;
  const std::scoped_lock lock{mutex_};
  reload(fd);
}

void Fanout::reload(int fd) { is_stale_.store(!load(fd), std::memory_order_relaxed); }

}  // namespace penstock::dataplane
