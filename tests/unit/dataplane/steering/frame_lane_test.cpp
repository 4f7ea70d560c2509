#include "dataplane/steering/frame_lane.hpp"

#include <linux/filter.h>

#include <array>
#include <cstring>

#include <gtest/gtest.h>

#include "steering_packets.hpp"

#include "dataplane/device/fanout.hpp"

namespace penstock::dataplane {
namespace {

using test::frame_packet;
using test::packet_of;
using test::tagged;

constexpr std::uint16_t port = 7670;

// What the kernel does with the program, as far as ours go: `packet` begins behind the Ethernet
// header, and a load beyond its end ends the program with 0.
std::uint32_t run(std::span<const sock_filter> program, Bytes packet, std::uint16_t ethertype) {
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& step = program[at];
    const auto size = BPF_SIZE(step.code) == BPF_W ? 4u : BPF_SIZE(step.code) == BPF_H ? 2u : 1u;
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
      case BPF_LD | BPF_H | BPF_ABS:
      case BPF_LD | BPF_B | BPF_ABS:
        if (step.k == static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PROTOCOL)) {
          a = ethertype;
          break;
        }
        if (step.k + size > packet.size()) return 0;
        a = 0;
        for (unsigned i = 0; i < size; ++i) a = a << 8 | load_u8(&packet[step.k + i]);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= step.k;
        break;
      case BPF_ALU | BPF_MOD | BPF_K:
        a %= step.k;
        break;
      case BPF_JMP | BPF_JA:
        at += step.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += a == step.k ? step.jt : step.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (a & step.k) != 0 ? step.jt : step.jf;
        break;
      case BPF_RET | BPF_K:
        return step.k;
      default:
        ADD_FAILURE() << "instruction " << step.code;
        return 0;
    }
  }
  ADD_FAILURE() << "it runs off its end";
  return 0;
}

std::uint32_t run(std::span<const sock_filter> program, Bytes packet) {
  return run(program, packet.subspan(14), load_be16(&packet[12]));
}

TEST(FrameLane, IsThatOfTheSpi) {
  for (const bool v6 : {false, true})
    for (std::uint32_t lane = 0; lane < 64; ++lane)
      EXPECT_EQ(frame_lane(frame_packet(lane, v6), port), lane);
}

TEST(FrameLane, IsOfDataFramesAlone) {
  auto handshake = frame_packet(3);
  handshake[42] = std::byte{1};
  EXPECT_EQ(frame_lane(handshake, port), std::nullopt);
  auto probe = frame_packet(3);
  probe[42] = std::byte{6};
  EXPECT_EQ(frame_lane(probe, port), std::nullopt);
  EXPECT_EQ(frame_lane(frame_packet(3), 7671), std::nullopt);
  EXPECT_EQ(frame_lane(tagged(frame_packet(3), 0x8100, 5), port), std::nullopt);
  auto fragment = frame_packet(3);
  fragment[20] = std::byte{0x20};
  EXPECT_EQ(frame_lane(fragment, port), std::nullopt);
  auto tcp = frame_packet(3);
  tcp[23] = std::byte{6};
  EXPECT_EQ(frame_lane(tcp, port), std::nullopt);
  const auto frame = frame_packet(3);
  for (std::size_t length = 0; length < 58; ++length) {
    const std::vector<std::byte> cut(frame.begin(),
                                     frame.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(frame_lane(cut, port), std::nullopt) << length;
  }
}

TEST(LaneProgram, ChoosesAsTheSoftwareDoes) {
  constexpr std::array<std::uint8_t, 64> places = [] {
    std::array<std::uint8_t, 64> all{};
    for (std::uint8_t i = 0; i < 64; ++i) all[i] = i;
    return all;
  }();
  for (const std::size_t workers : {2u, 3u, 64u}) {
    const auto program = lane_program(port, std::span{places}.first(workers));
    for (const bool v6 : {false, true})
      for (std::uint32_t lane = 0; lane < 64; ++lane)
        EXPECT_EQ(run(program, frame_packet(lane, v6)), lane % workers);
  }
}

TEST(LaneProgram, GivesAllElseToTheFirst) {
  constexpr std::array<std::uint8_t, 3> places{2, 0, 1};  // as after a ring was made anew
  const auto program = lane_program(port, places);
  EXPECT_EQ(run(program, frame_packet(1)), 0u);
  EXPECT_EQ(run(program, frame_packet(2)), 1u);
  constexpr std::uint32_t first = 2;
  for (const bool v6 : {false, true}) {
    EXPECT_EQ(run(program, frame_packet(3, v6)), first);
    auto handshake = frame_packet(1, v6);
    handshake[v6 ? 62 : 42] = std::byte{1};
    EXPECT_EQ(run(program, handshake), first);
    EXPECT_EQ(run(program, packet_of({.v6 = v6})), first) << "another port";
    EXPECT_EQ(run(program, packet_of({.protocol = 6, .v6 = v6, .destination_port = port})), first);
  }
  auto fragment = frame_packet(1);
  fragment[20] = std::byte{0x20};
  EXPECT_EQ(run(program, fragment), first);
  auto options = frame_packet(1);
  options[14] = std::byte{0x46};
  EXPECT_EQ(run(program, options), first);
  auto arp = frame_packet(1);
  store_be16(&arp[12], 0x0806);
  EXPECT_EQ(run(program, arp), first);
}

}  // namespace
}  // namespace penstock::dataplane
