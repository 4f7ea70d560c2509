#include "penstock/wire/salvage.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "packets.hpp"

namespace penstock {
namespace {

using namespace test;
using H = VirtioNetHeader;

constexpr std::size_t ahead = limits::virtio_net_header;
constexpr std::size_t gso_size = 1448;
constexpr std::uint8_t fin = 0x01;
constexpr std::uint8_t psh = 0x08;
constexpr std::uint8_t ack = 0x10;
constexpr std::uint8_t cwr = 0x80;
constexpr std::uint32_t sequence = 0xfffffe00;  // wraps

// The internet checksum's sum over whole words.
std::uint16_t sum_of(Bytes bytes, std::uint32_t start = 0) {
  std::uint64_t sum = start;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += load_be16(&bytes[i]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

// What two tests agree about: where a packet's headers are.
struct Shape {
  bool is_v4 = true;
  std::size_t tags = 0;

  [[nodiscard]] std::size_t ip() const { return 14 + 4 * tags; }
  [[nodiscard]] std::size_t tcp() const { return ip() + (is_v4 ? 20 : 40); }
  [[nodiscard]] std::size_t payload() const { return tcp() + 20; }
};

std::uint16_t pseudo_sum(Bytes packet, Shape shape) {
  const Bytes addresses = packet.subspan(shape.ip() + (shape.is_v4 ? 12 : 8), shape.is_v4 ? 8 : 32);
  return sum_of(addresses, static_cast<std::uint32_t>(6 + packet.size() - shape.tcp()));
}

// A block as a sender's kernel hands it over, payload bytes told by their places.
std::vector<std::byte> unfinished(Shape shape, std::size_t payload, std::uint8_t flags) {
  Packet packet = shape.tags == 0
                      ? ethernet(shape.is_v4 ? ethertype_ipv4 : ethertype_ipv6)
                      : ethernet(shape.is_v4 ? ethertype_ipv4 : ethertype_ipv6, {ethertype_vlan});
  if (shape.is_v4) {
    append_ipv4(packet, 6, 20 + payload);
  } else {
    append_ipv6(packet, 6, 20 + payload);
  }
  append_tcp(packet, payload, 0, flags);
  for (std::size_t i = 0; i < payload; ++i)
    packet[shape.payload() + i] = static_cast<std::byte>(i * 31 + i / 256);
  store_be32(&packet[shape.tcp() + 4], sequence);
  store_be16(&packet[shape.tcp() + 16], pseudo_sum(packet, shape));
  if (shape.is_v4) {
    store_be16(&packet[shape.ip() + 4], 0xfffe);
    store_be16(&packet[shape.ip() + 10], 0);
    const std::uint16_t sum = sum_of(Bytes{packet}.subspan(shape.ip(), 20));
    store_be16(&packet[shape.ip() + 10], static_cast<std::uint16_t>(~sum));
  }
  std::vector<std::byte> block(ahead);
  write_virtio_net(VirtioNetBytes{block.data(), ahead},
                   {.flags = H::needs_csum,
                    .gso_type = shape.is_v4 ? H::gso_tcp4 : H::gso_tcp6,
                    .gso_size = gso_size,
                    .csum_start = static_cast<std::uint16_t>(shape.tcp()),
                    .csum_offset = 16});
  block.insert(block.end(), packet.begin(), packet.end());
  return block;
}

void poison(std::vector<std::byte>& block, std::span<const Hole> holes) {
  for (const Hole& hole : holes)
    std::fill(block.begin() + hole.from, block.begin() + hole.to, std::byte{0xee});
}

// All that comes out, in order.
std::vector<std::vector<std::byte>> salvaged(std::vector<std::byte> block,
                                             std::span<const Hole> holes) {
  poison(block, holes);
  Salvage salvage{block, holes};
  std::vector<std::vector<std::byte>> runs;
  for (Bytes run = salvage.next(); !run.empty(); run = salvage.next())
    runs.emplace_back(run.begin(), run.end());
  EXPECT_TRUE(salvage.next().empty());
  return runs;
}

// That a run is what segmentation of the whole packet would have made; returns its segments.
std::vector<std::size_t> check_run(const std::vector<std::byte>& run, Shape shape,
                                   const std::vector<std::byte>& whole) {
  const Bytes packet = Bytes{run}.subspan(ahead);
  const Bytes original = Bytes{whole}.subspan(ahead);
  const std::byte* const ip = &packet[shape.ip()];
  const std::byte* const tcp = &packet[shape.tcp()];
  const std::size_t offset = load_be32(tcp + 4) - sequence;
  const std::size_t length = packet.size() - shape.payload();
  const bool is_last = offset + length == original.size() - shape.payload();
  EXPECT_EQ(offset % gso_size, 0u);
  EXPECT_TRUE(length % gso_size == 0 || is_last);
  EXPECT_EQ(std::memcmp(&packet[shape.payload()], &original[shape.payload() + offset], length), 0);
  if (shape.is_v4) {
    EXPECT_EQ(load_be16(ip + 2), packet.size() - shape.ip());
    EXPECT_EQ(load_be16(ip + 4), static_cast<std::uint16_t>(0xfffe + offset / gso_size));
    EXPECT_EQ(sum_of(Bytes{ip, 20}), 0xffff);
  } else {
    EXPECT_EQ(load_be16(ip + 4), packet.size() - shape.ip() - 40);
  }
  EXPECT_EQ(load_be16(tcp + 16), pseudo_sum(packet, shape));
  const auto flags = load_u8(&original[shape.tcp() + 13]);
  const unsigned kept = (is_last ? 0u : fin | psh) | (offset == 0 ? 0u : cwr);
  EXPECT_EQ(load_u8(tcp + 13), flags & ~kept);
  const auto offload = read_virtio_net(ConstVirtioNetBytes{run.data(), ahead});
  EXPECT_TRUE(rebuild_virtio_net(packet, offload));
  std::vector<std::size_t> segments;
  for (std::size_t at = offset; at < offset + length; at += gso_size)
    segments.push_back(at / gso_size);
  return segments;
}

TEST(Salvage, WhatStandsBeforeAndBehindAHoleIsSaved) {
  const Shape shape;
  const auto whole = unfinished(shape, 10 * gso_size, ack | psh | fin | cwr);
  const auto at = static_cast<std::uint32_t>(ahead + shape.payload() + 3 * gso_size + 700);
  const Hole hole{.from = at, .to = at + 1436};  // in segments 3 and 4
  const auto runs = salvaged(whole, std::span{&hole, 1});
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(check_run(runs[0], shape, whole), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(check_run(runs[1], shape, whole), (std::vector<std::size_t>{5, 6, 7, 8, 9}));
}

TEST(Salvage, WithoutWholeHeadersNothingIsSaved) {
  const Shape shape;
  const auto whole = unfinished(shape, 10 * gso_size, ack);
  const auto headers = static_cast<std::uint32_t>(ahead + shape.payload());
  for (std::uint32_t from = 0; from < headers; ++from) {
    const Hole hole{.from = from, .to = from + 1};
    EXPECT_TRUE(salvaged(whole, std::span{&hole, 1}).empty()) << from;
  }
  const Hole hole{.from = headers, .to = headers + 1};
  EXPECT_EQ(salvaged(whole, std::span{&hole, 1}).size(), 1u);
}

TEST(Salvage, OnlyTcpIsSaved) {
  const Hole hole{.from = 3000, .to = 3001};
  std::vector<std::byte> zeros(5000);
  EXPECT_TRUE(salvaged(zeros, std::span{&hole, 1}).empty());
  auto checksum_only = unfinished({}, 4000, ack);
  checksum_only[1] = std::byte{H::gso_none};
  EXPECT_TRUE(salvaged(checksum_only, std::span{&hole, 1}).empty());
  auto other_claim = unfinished({}, 4000, ack);
  other_claim[1] = std::byte{H::gso_udp_l4};
  EXPECT_TRUE(salvaged(other_claim, std::span{&hole, 1}).empty());
}

// The segments of which every byte is there, by looking at every byte.
std::vector<std::size_t> untouched(Shape shape, std::size_t size, std::span<const Hole> holes) {
  std::vector<std::size_t> segments;
  const std::size_t start = ahead + shape.payload();
  for (std::size_t at = start; at < size; at += gso_size) {
    const std::size_t end = std::min(at + gso_size, size);
    if (std::ranges::none_of(holes, [&](Hole hole) { return hole.from < end && hole.to > at; }))
      segments.push_back((at - start) / gso_size);
  }
  return segments;
}

TEST(Salvage, EveryUntouchedSegmentIsSavedInOrderWhateverTheHoles) {
  std::mt19937 dice{5};
  const auto between = [&](std::size_t low, std::size_t high) {
    return static_cast<std::uint32_t>(low + dice() % (high - low + 1));
  };
  for (int round = 0; round < 500; ++round) {
    const Shape shape{.is_v4 = round % 2 == 0, .tags = between(0, 1)};
    const std::size_t payload = between(gso_size + 1, 65535 - 60);
    const auto whole = unfinished(shape, payload, ack | psh | cwr);
    std::vector<Hole> holes;
    std::uint32_t at = static_cast<std::uint32_t>(ahead + shape.payload());
    while (holes.size() < 16 && at < whole.size()) {
      const std::uint32_t from = at + between(0, 20'000);
      const auto to = std::min<std::uint32_t>(from + between(1, 4000),
                                              static_cast<std::uint32_t>(whole.size()));
      if (from >= to) break;
      holes.push_back({.from = from, .to = to});
      at = to + 1;
    }
    if (holes.empty()) continue;
    std::vector<std::size_t> found;
    for (const auto& run : salvaged(whole, holes)) {
      const auto segments = check_run(run, shape, whole);
      found.insert(found.end(), segments.begin(), segments.end());
    }
    ASSERT_EQ(found, untouched(shape, whole.size(), holes)) << round;
  }
}

}  // namespace
}  // namespace penstock
