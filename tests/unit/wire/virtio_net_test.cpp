#include "penstock/wire/virtio_net.hpp"

#include <array>

#include <gtest/gtest.h>

#include "packets.hpp"

namespace penstock {
namespace {

using namespace test;
using H = VirtioNetHeader;

constexpr std::uint16_t tcp4_start = 14 + 20;
constexpr std::uint16_t tcp6_start = 14 + 40;

// What a sender's kernel says of an unfinished checksum, without segmentation.
H checksum(std::uint16_t start, std::uint16_t offset) {
  return {.flags = H::needs_csum, .csum_start = start, .csum_offset = offset};
}

H segments(std::uint8_t type, std::uint16_t size, std::uint16_t start, std::uint16_t offset) {
  H claimed = checksum(start, offset);
  claimed.gso_type = type;
  claimed.gso_size = size;
  return claimed;
}

TEST(VirtioNet, IsTenLittleEndianBytes) {
  std::array<std::byte, limits::virtio_net_header> bytes{};
  const H header{.flags = 1,
                 .gso_type = 0x84,
                 .header_length = 0x0102,
                 .gso_size = 0x0304,
                 .csum_start = 0x0506,
                 .csum_offset = 0x0708};
  write_virtio_net(bytes, header);
  EXPECT_EQ(to_hex(bytes), "01840201040306050807");
  EXPECT_EQ(read_virtio_net(bytes), header);
}

// --- a finished packet --------------------------------------------------------------

TEST(RebuildVirtioNet, FinishedPacketNeedsNothingWhateverItIs) {
  for (const Packet& packet : {tcp4(10), udp6(10), ethernet(0x88cc), Packet{}}) {
    EXPECT_EQ(rebuild_virtio_net(packet, {}), H{});
  }
}

TEST(RebuildVirtioNet, OtherFlagsAndStrayFieldsAreDropped) {
  const H claimed{.flags = 0xfe,
                  .header_length = 9,
                  .gso_size = 9,
                  .csum_start = 0xffff,
                  .csum_offset = 0xffff};
  EXPECT_EQ(rebuild_virtio_net(tcp4(10), claimed), H{});
}

TEST(RebuildVirtioNet, OnlyNeedsCsumIsKeptOfTheFlags) {
  H claimed = checksum(tcp4_start, 16);
  claimed.flags = 0xff;
  const auto header = rebuild_virtio_net(tcp4(10), claimed);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->flags, H::needs_csum);
}

// --- checksums ----------------------------------------------------------------------

TEST(RebuildVirtioNet, ChecksumOfTcpAndUdpOverBothIpVersions) {
  EXPECT_EQ(rebuild_virtio_net(tcp4(10), checksum(tcp4_start, 16)),
            (H{.flags = 1, .header_length = 54, .csum_start = 34, .csum_offset = 16}));
  EXPECT_EQ(rebuild_virtio_net(tcp6(10), checksum(tcp6_start, 16)),
            (H{.flags = 1, .header_length = 74, .csum_start = 54, .csum_offset = 16}));
  EXPECT_EQ(rebuild_virtio_net(udp4(10), checksum(tcp4_start, 6)),
            (H{.flags = 1, .header_length = 42, .csum_start = 34, .csum_offset = 6}));
  EXPECT_EQ(rebuild_virtio_net(udp6(0), checksum(tcp6_start, 6)),
            (H{.flags = 1, .header_length = 62, .csum_start = 54, .csum_offset = 6}));
}

TEST(RebuildVirtioNet, ClaimedHeaderLengthIsNotBelieved) {
  H claimed = checksum(tcp4_start, 16);
  claimed.header_length = 0xffff;
  EXPECT_EQ(rebuild_virtio_net(tcp4(10), claimed)->header_length, 54);
}

TEST(RebuildVirtioNet, EveryOtherChecksumPlaceIsRefused) {
  const Packet packet = tcp4(100);
  for (unsigned start = 0; start < 200; ++start) {
    for (unsigned offset = 0; offset < 32; ++offset) {
      const auto claimed =
          checksum(static_cast<std::uint16_t>(start), static_cast<std::uint16_t>(offset));
      EXPECT_EQ(rebuild_virtio_net(packet, claimed).has_value(), start == 34 && offset == 16)
          << start << " " << offset;
    }
  }
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(0xffff, 16)));
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(tcp4_start, 0xffff)));
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(tcp4_start, 6)));  // UDP's
}

TEST(RebuildVirtioNet, EveryTruncationIsRefused) {
  for (const Packet& packet : {tcp4(0), tcp6(0)}) {
    const auto start = static_cast<std::uint16_t>(packet.size() - 20);
    ASSERT_TRUE(rebuild_virtio_net(packet, checksum(start, 16)));
    for (std::size_t length = 0; length < packet.size(); ++length) {
      // A copy of exactly this length: reading past it is for the sanitizer to see.
      const Packet cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_FALSE(rebuild_virtio_net(cut, checksum(start, 16))) << length;
    }
  }
}

TEST(RebuildVirtioNet, EthernetPaddingIsNoError) {
  Packet packet = udp4(1);
  packet.resize(60);
  EXPECT_TRUE(rebuild_virtio_net(packet, checksum(tcp4_start, 6)));
}

TEST(RebuildVirtioNet, OptionsMoveTheTransportHeader) {
  Packet packet = ethernet(ethertype_ipv4);
  append_ipv4(packet, 6, 4 + 20 + 12 + 5);
  packet[14] = std::byte{0x46};
  append(packet, {1, 1, 1, 0});
  append_tcp(packet, 5, 12);
  EXPECT_EQ(rebuild_virtio_net(packet, checksum(38, 16)),
            (H{.flags = 1, .header_length = 70, .csum_start = 38, .csum_offset = 16}));
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(34, 16)));
}

TEST(RebuildVirtioNet, TcpHeaderLengthMustFit) {
  for (unsigned words = 0; words < 16; ++words) {
    Packet packet = tcp4(8);
    packet[tcp4_start + 12] = static_cast<std::byte>(words << 4);
    EXPECT_EQ(rebuild_virtio_net(packet, checksum(tcp4_start, 16)).has_value(),
              words >= 5 && words <= 7)
        << words;
  }
}

TEST(RebuildVirtioNet, SeesThroughVlanTags) {
  for (const std::size_t depth : {1, 2, 8}) {
    Packet packet = ethernet(ethertype_ipv4);
    for (std::size_t tag = 0; tag < depth; ++tag) {
      const unsigned tpid = tag % 2 == 0 ? ethertype_qinq : ethertype_vlan;
      const std::array bytes{static_cast<std::byte>(tpid >> 8), static_cast<std::byte>(tpid),
                             std::byte{0}, std::byte{5}};
      packet.insert(packet.begin() + 12 + static_cast<std::ptrdiff_t>(4 * tag), bytes.begin(),
                    bytes.end());
    }
    append_ipv4(packet, 17, 8);
    append_udp(packet, 0);
    const auto start = static_cast<std::uint16_t>(tcp4_start + 4 * depth);
    EXPECT_TRUE(rebuild_virtio_net(packet, checksum(start, 6))) << depth;
  }
}

TEST(RebuildVirtioNet, VlanTagsWithoutEndAreRefused) {
  Packet packet = ethernet(ethertype_vlan);
  for (unsigned tag = 0; tag < 100; ++tag) append(packet, {0, 1, 0x81, 0});
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(tcp4_start, 16)));
}

// --- what nobody can finish -----------------------------------------------------------

TEST(RebuildVirtioNet, OtherProtocolsHaveNoChecksumToFinish) {
  for (unsigned protocol = 0; protocol < 256; ++protocol) {
    Packet packet = tcp4(40);
    packet[14 + 9] = static_cast<std::byte>(protocol);
    for (const unsigned offset : {0u, 2u, 6u, 8u, 16u}) {  // 8: SCTP's CRC32c, 2: ICMP's
      const bool is_right = (protocol == 6 && offset == 16) || (protocol == 17 && offset == 6);
      EXPECT_EQ(rebuild_virtio_net(packet, checksum(tcp4_start, static_cast<std::uint16_t>(offset)))
                    .has_value(),
                is_right)
          << protocol << " " << offset;
    }
  }
}

TEST(RebuildVirtioNet, NonIpIsRefused) {
  Packet packet = tcp4(40);
  store_be16(&packet[12], 0x88cc);
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(tcp4_start, 16)));
}

TEST(RebuildVirtioNet, EthertypeAndVersionMustAgree) {
  Packet packet = tcp4(40);
  store_be16(&packet[12], ethertype_ipv6);
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(tcp4_start, 16)));
  packet = tcp6(40);
  store_be16(&packet[12], ethertype_ipv4);
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(tcp6_start, 16)));
  packet = tcp4(40);
  packet[14] = std::byte{0x55};
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(tcp4_start, 16)));
}

TEST(RebuildVirtioNet, BrokenIpv4LengthsAreRefused) {
  for (const auto total :
       std::to_array<std::uint16_t>({0, 19, 39, 81, 0xffff})) {  // the packet holds 80
    Packet packet = tcp4(40);
    store_be16(&packet[14 + 2], total);
    EXPECT_FALSE(rebuild_virtio_net(packet, checksum(tcp4_start, 16))) << total;
  }
  Packet packet = tcp4(40);
  packet[14] = std::byte{0x44};
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(30, 16)));
}

TEST(RebuildVirtioNet, FragmentsAreRefused) {
  for (const auto bits : std::to_array<std::uint16_t>({0x2000, 0x0001, 0x1fff})) {
    Packet packet = tcp4(40);
    store_be16(&packet[14 + 6], bits);
    EXPECT_FALSE(rebuild_virtio_net(packet, checksum(tcp4_start, 16))) << bits;
  }
  Packet packet = ethernet(ethertype_ipv6);
  append_ipv6(packet, 44, 8 + 20);
  append(packet, {6, 0, 0, 0, 0, 0, 0, 1});
  append_tcp(packet, 0);
  EXPECT_FALSE(rebuild_virtio_net(packet, checksum(62, 16)));
}

// --- IPv6 extension headers -----------------------------------------------------------

Packet tcp6_behind(std::initializer_list<unsigned> extensions) {
  Packet packet = ethernet(ethertype_ipv6);
  const auto* next = extensions.begin();
  append_ipv6(packet, static_cast<std::uint8_t>(*next), 8 * extensions.size() + 20);
  for (++next; next != extensions.end(); ++next) append(packet, {*next, 0, 0, 0, 0, 0, 0, 0});
  append(packet, {6, 0, 0, 0, 0, 0, 0, 0});
  append_tcp(packet, 0);
  return packet;
}

TEST(RebuildVirtioNet, WalksOptionsAndRoutingHeaders) {
  EXPECT_TRUE(rebuild_virtio_net(tcp6_behind({0}), checksum(54 + 8, 16)));
  EXPECT_TRUE(rebuild_virtio_net(tcp6_behind({0, 60, 43, 60}), checksum(54 + 32, 16)));
  EXPECT_FALSE(rebuild_virtio_net(tcp6_behind({0}), checksum(54, 16)));
}

TEST(RebuildVirtioNet, OtherExtensionHeadersAreRefused) {
  for (const unsigned next : {44u, 50u, 51u, 59u, 135u}) {
    EXPECT_FALSE(rebuild_virtio_net(tcp6_behind({next}), checksum(54 + 8, 16))) << next;
  }
}

TEST(RebuildVirtioNet, ExtensionHeadersAreBounded) {
  EXPECT_TRUE(
      rebuild_virtio_net(tcp6_behind({60, 60, 60, 60, 60, 60, 60, 60}), checksum(54 + 64, 16)));
  EXPECT_FALSE(
      rebuild_virtio_net(tcp6_behind({60, 60, 60, 60, 60, 60, 60, 60, 60}), checksum(54 + 72, 16)));
}

TEST(RebuildVirtioNet, CutExtensionHeaderIsRefused) {
  for (std::size_t length = 0; length < 8; ++length) {
    Packet packet = ethernet(ethertype_ipv6);
    append_ipv6(packet, 60, length);
    packet.resize(packet.size() + length);
    const Packet exact(packet);
    EXPECT_FALSE(rebuild_virtio_net(exact, checksum(54 + 8, 16))) << length;
  }
}

TEST(RebuildVirtioNet, ExtensionHeaderBeyondThePacketIsRefused) {
  for (unsigned length = 1; length < 256; ++length) {
    Packet packet = tcp6_behind({60});
    packet[54 + 1] = static_cast<std::byte>(length);
    EXPECT_FALSE(rebuild_virtio_net(packet, checksum(54 + 8, 16))) << length;
  }
}

// --- segmentation -----------------------------------------------------------------------

TEST(RebuildVirtioNet, SegmentationOfTcpAndUdp) {
  EXPECT_EQ(rebuild_virtio_net(tcp4(4000), segments(H::gso_tcp4, 1448, tcp4_start, 16)),
            (H{.flags = 1,
               .gso_type = H::gso_tcp4,
               .header_length = 54,
               .gso_size = 1448,
               .csum_start = 34,
               .csum_offset = 16}));
  EXPECT_EQ(rebuild_virtio_net(tcp6(4000), segments(H::gso_tcp6, 1428, tcp6_start, 16))->gso_type,
            H::gso_tcp6);
  EXPECT_EQ(rebuild_virtio_net(udp4(4000), segments(H::gso_udp_l4, 1400, tcp4_start, 6))->gso_type,
            H::gso_udp_l4);
  EXPECT_EQ(rebuild_virtio_net(udp6(4000), segments(H::gso_udp_l4, 1400, tcp6_start, 6))->gso_type,
            H::gso_udp_l4);
}

TEST(RebuildVirtioNet, LargestPacketOfTheKernelPasses) {
  constexpr std::size_t payload = 65535 - 20 - 20;
  const Packet packet = tcp4(payload);
  EXPECT_TRUE(rebuild_virtio_net(packet, segments(H::gso_tcp4, 1448, tcp4_start, 16)));
}

TEST(RebuildVirtioNet, EveryDisagreeingTypeIsRefused) {
  struct Case {
    Packet packet;
    std::uint16_t start;
    std::uint16_t offset;
    std::uint8_t right;
  };
  const Case cases[] = {{tcp4(4000), tcp4_start, 16, H::gso_tcp4},
                        {tcp6(4000), tcp6_start, 16, H::gso_tcp6},
                        {udp4(4000), tcp4_start, 6, H::gso_udp_l4},
                        {udp6(4000), tcp6_start, 6, H::gso_udp_l4}};
  for (const Case& c : cases) {
    for (unsigned type = 1; type < 256; ++type) {
      const bool is_tcp = c.right != H::gso_udp_l4;
      const bool is_right = type == c.right || (is_tcp && type == (c.right | H::gso_ecn));
      const auto claimed = segments(static_cast<std::uint8_t>(type), 1000, c.start, c.offset);
      EXPECT_EQ(rebuild_virtio_net(c.packet, claimed).has_value(), is_right)
          << unsigned{c.right} << " " << type;
    }
  }
}

TEST(RebuildVirtioNet, SegmentationWithoutChecksumIsRefused) {
  H claimed = segments(H::gso_tcp4, 1448, tcp4_start, 16);
  claimed.flags = 0;
  EXPECT_FALSE(rebuild_virtio_net(tcp4(4000), claimed));
  claimed.flags = 2;  // DATA_VALID
  EXPECT_FALSE(rebuild_virtio_net(tcp4(4000), claimed));
}

TEST(RebuildVirtioNet, SegmentSizeEdges) {
  const Packet packet = tcp4(4000);
  EXPECT_FALSE(rebuild_virtio_net(packet, segments(H::gso_tcp4, 0, tcp4_start, 16)));
  EXPECT_FALSE(rebuild_virtio_net(packet, segments(H::gso_tcp4, 255, tcp4_start, 16)));
  EXPECT_TRUE(rebuild_virtio_net(packet, segments(H::gso_tcp4, 256, tcp4_start, 16)));
}

TEST(RebuildVirtioNet, SegmentCountEdges) {
  EXPECT_TRUE(rebuild_virtio_net(udp4(128 * 300), segments(H::gso_udp_l4, 300, tcp4_start, 6)));
  EXPECT_FALSE(
      rebuild_virtio_net(udp4(128 * 300 + 1), segments(H::gso_udp_l4, 300, tcp4_start, 6)));
}

TEST(RebuildVirtioNet, OneSegmentIsNoSegmentation) {
  const H plain{.flags = 1, .header_length = 54, .csum_start = 34, .csum_offset = 16};
  for (const std::size_t payload : {0, 1, 1000}) {
    EXPECT_EQ(rebuild_virtio_net(tcp4(payload), segments(H::gso_tcp4, 1000, tcp4_start, 16)),
              plain);
  }
  EXPECT_EQ(rebuild_virtio_net(tcp4(1001), segments(H::gso_tcp4, 1000, tcp4_start, 16))->gso_size,
            1000);
}

TEST(RebuildVirtioNet, PaddingBehindSegmentsIsRefused) {
  Packet packet = tcp4(4000);
  packet.push_back(std::byte{0});
  EXPECT_FALSE(rebuild_virtio_net(packet, segments(H::gso_tcp4, 1448, tcp4_start, 16)));
}

TEST(RebuildVirtioNet, EcnStandsOnlyWithCwr) {
  constexpr std::uint8_t ack = 0x10;
  constexpr std::uint8_t ack_cwr = 0x90;
  const auto type_of = [](std::uint8_t flags, std::uint8_t type) {
    return rebuild_virtio_net(tcp4(4000, flags), segments(type, 1448, tcp4_start, 16))->gso_type;
  };
  EXPECT_EQ(type_of(ack_cwr, H::gso_tcp4 | H::gso_ecn), H::gso_tcp4 | H::gso_ecn);
  EXPECT_EQ(type_of(ack, H::gso_tcp4 | H::gso_ecn), H::gso_tcp4);
  EXPECT_EQ(type_of(ack_cwr, H::gso_tcp4), H::gso_tcp4);
}

TEST(RebuildVirtioNet, EcnAloneIsRefused) {
  H claimed = checksum(tcp4_start, 16);
  claimed.gso_type = H::gso_ecn;
  EXPECT_FALSE(rebuild_virtio_net(tcp4(4000), claimed));
}

}  // namespace
}  // namespace penstock
