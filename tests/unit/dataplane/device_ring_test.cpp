// The packet rings on memory of our own; the test plays the kernel's part.
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/base/unique_fd.hpp"

#include "dataplane/device/receive_ring.hpp"
#include "dataplane/device/transmit_ring.hpp"

namespace {

// The kernel's part in TransmitRing::commit().
std::function<ssize_t()>& kernel_sends() {
  static std::function<ssize_t()> part;
  return part;
}

}  // namespace

// In libc's place: nothing to send from a buffer means a look at the ring.
extern "C" ssize_t send(int fd, const void* buf, std::size_t n, int flags) {
  if (buf != nullptr) return sendto(fd, buf, n, flags, nullptr, 0);
  return kernel_sends()();
}

namespace penstock::dataplane {
namespace {

constexpr std::size_t packet_at = 96;  // where the test puts packets in a slot

struct SocketPair {
  SocketPair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds.data()), 0);
    ours.reset(fds[0]);
    kernel.reset(fds[1]);
  }
  UniqueFd ours;
  UniqueFd kernel;
};

class RingTest : public testing::Test {
 protected:
  static constexpr RingShape shape{.slot_size = 2048, .block_slots = 4, .blocks = 1};

  tpacket2_hdr& slot(std::uint32_t index) { return *ring_.header(index); }

  // What the kernel does when a packet arrives: fill the slot, then hand it over.
  void arrive(std::uint32_t index, std::uint32_t length, std::byte fill, std::uint32_t status = 0) {
    auto& header = slot(index);
    auto* const data = reinterpret_cast<std::byte*>(&header) + packet_at;
    const auto room = static_cast<std::uint32_t>(shape.slot_size - packet_at);
    std::memset(data - limits::virtio_net_header, 0, limits::virtio_net_header);
    std::memset(data, std::to_integer<int>(fill), std::min(length, room));
    header.tp_mac = packet_at;
    header.tp_len = length;
    header.tp_snaplen = std::min(length, room);
    header.tp_status = TP_STATUS_USER | status;
  }

  // The whole of a long packet, as recv() on a packet socket delivers it.
  void arrive_beside(std::size_t length, std::byte fill) {
    std::vector<std::byte> message(limits::virtio_net_header + length, fill);
    write_virtio_net(VirtioNetBytes{message.data(), limits::virtio_net_header},
                     {.gso_type = VirtioNetHeader::gso_tcp4, .gso_size = 1448});
    ASSERT_EQ(send(sockets_.kernel.get(), message.data(), message.size(), 0),
              static_cast<ssize_t>(message.size()));
  }

  // As the kernel does: takes requested slots in order, at most `most` of them.
  void SetUp() override { kernel_takes(shape.slots()); }
  void kernel_takes(std::uint32_t most) {
    kernel_sends() = [this, most, head = 0u]() mutable -> ssize_t {
      std::uint32_t taken = 0;
      while (taken < most && slot(head).tp_status == TP_STATUS_SEND_REQUEST) {
        slot(head).tp_status = TP_STATUS_SENDING;
        head = (head + 1) % shape.slots();
        ++taken;
      }
      return taken * 60;
    };
  }

  alignas(64) std::array<std::byte, shape.bytes()> memory_{};
  RingView ring_{memory_.data(), shape};
  SocketPair sockets_;
};

TEST(RingShape, IsWholePagesAndKeepsToItsMemory) {
  for (const std::size_t slot : {600u, 1600u, 2048u, 9200u, 65631u}) {
    const auto shape = RingShape::fit(slot, 6u << 20);
    EXPECT_GE(shape.slot_size, slot);
    EXPECT_EQ(shape.slot_size * shape.block_slots % 4096, 0u);
    EXPECT_EQ(shape.slot_size % TPACKET_ALIGNMENT, 0u);
    EXPECT_LE(shape.bytes(), 6u << 20);
    EXPECT_GE(shape.bytes(), 5u << 20);
  }
  EXPECT_EQ(RingShape::fit(65631, 1).slots(), 12u) << "one block at least";
}

TEST_F(RingTest, ViewsArePacketsInOrderUntilReleased) {
  ReceiveRing ring{sockets_.ours.get(), ring_};
  std::array<PacketView, 8> views;
  EXPECT_EQ(ring.receive(views), 0u);
  arrive(0, 60, std::byte{1});
  arrive(1, 1500, std::byte{2});
  ASSERT_EQ(ring.receive(views), 2u);
  EXPECT_EQ(views[0].length, 60u);
  EXPECT_EQ(views[0].data[59], std::byte{1});
  EXPECT_EQ(views[1].length, 1500u);
  EXPECT_EQ(views[1].data[1499], std::byte{2});
  EXPECT_NE(slot(0).tp_status, std::uint32_t{TP_STATUS_KERNEL}) << "ours until released";
  ring.release();
  EXPECT_EQ(slot(0).tp_status, std::uint32_t{TP_STATUS_KERNEL});
  EXPECT_EQ(slot(1).tp_status, std::uint32_t{TP_STATUS_KERNEL});
}

TEST_F(RingTest, GoesRoundAndNeverTakesASlotTwice) {
  ReceiveRing ring{sockets_.ours.get(), ring_};
  std::array<PacketView, 8> views;
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t index = 0; index < 4; ++index) arrive(index, 60 + index, std::byte{7});
    ASSERT_EQ(ring.receive(views), 4u);
    EXPECT_EQ(ring.receive(views), 0u) << "all slots are in views";
    EXPECT_EQ(views[3].length, 63u);
    ring.release();
  }
}

TEST_F(RingTest, TellsTheTagThatWasTakenOut) {
  ReceiveRing ring{sockets_.ours.get(), ring_};
  std::array<PacketView, 4> views;
  slot(0).tp_vlan_tci = slot(1).tp_vlan_tci = 0x2005;
  slot(0).tp_vlan_tpid = slot(1).tp_vlan_tpid = 0x88a8;
  arrive(0, 60, std::byte{1}, TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID);
  arrive(1, 60, std::byte{1}, TP_STATUS_VLAN_VALID);
  arrive(2, 60, std::byte{1});
  ASSERT_EQ(ring.receive(views), 3u);
  EXPECT_EQ(views[0].vlan_tpid, 0x88a8);
  EXPECT_EQ(views[0].vlan_tci, 0x2005);
  EXPECT_EQ(views[1].vlan_tpid, 0x8100) << "old kernels do not say";
  EXPECT_EQ(views[2].vlan_tpid, 0);
}

TEST_F(RingTest, ReadsLongPacketsWholeAndInTheirPlace) {
  ReceiveRing ring{sockets_.ours.get(), ring_};
  std::array<PacketView, 4> views;
  arrive(0, 60, std::byte{1});
  arrive(1, 65000, std::byte{2}, TP_STATUS_COPY);
  arrive_beside(65000, std::byte{3});
  arrive(2, 61, std::byte{4});
  ASSERT_EQ(ring.receive(views), 3u);
  EXPECT_EQ(views[1].length, 65000u);
  EXPECT_EQ(views[1].data[0], std::byte{3});
  EXPECT_EQ(views[1].data[64999], std::byte{3});
  EXPECT_EQ(views[1].offload.gso_size, 1448);
  EXPECT_EQ(views[2].length, 61u);
}

TEST_F(RingTest, CountsLongPacketsItCannotHaveWhole) {
  ReceiveRing ring{sockets_.ours.get(), ring_};
  std::array<PacketView, 4> views;
  arrive(0, 65000, std::byte{1});  // the socket's queue was full: no copy
  arrive(1, 70000, std::byte{1}, TP_STATUS_COPY);
  arrive_beside(70000, std::byte{1});
  arrive(2, 60, std::byte{2});
  ASSERT_EQ(ring.receive(views), 1u);
  EXPECT_EQ(views[0].length, 60u);
  EXPECT_EQ(ring.drops(), 2u);
  ring.release();
  for (std::uint32_t index = 0; index < 3; ++index)
    EXPECT_EQ(slot(index).tp_status, std::uint32_t{TP_STATUS_KERNEL});
}

TEST_F(RingTest, IsJammedWhenAllIsDroppedThoughASlotIsFree) {
  ReceiveRing ring{sockets_.ours.get(), ring_};
  ring.take_counts(5, 5);
  EXPECT_FALSE(ring.is_jammed()) << "one look may lie";
  ring.take_counts(0, 0);
  EXPECT_FALSE(ring.is_jammed()) << "silence tells nothing";
  ring.take_counts(1, 1);
  EXPECT_TRUE(ring.is_jammed());
  ring.take_counts(2, 0);
  EXPECT_TRUE(ring.is_jammed()) << "until it starts over";
  ring.start_over();
  EXPECT_FALSE(ring.is_jammed());
  EXPECT_EQ(ring.drops(), 6u);
}

TEST_F(RingTest, IsNotJammedWhenItIsFullOrTakesAnything) {
  ReceiveRing ring{sockets_.ours.get(), ring_};
  for (int look = 0; look < 5; ++look) ring.take_counts(6, 5);
  EXPECT_FALSE(ring.is_jammed());
  for (std::uint32_t index = 0; index < 4; ++index) arrive(index, 60, std::byte{1});
  for (int look = 0; look < 5; ++look) ring.take_counts(5, 5);
  EXPECT_FALSE(ring.is_jammed()) << "full: the next slot waits for us";
}

TEST_F(RingTest, StartsOverAtTheFirstSlot) {
  ReceiveRing ring{sockets_.ours.get(), ring_};
  std::array<PacketView, 8> views;
  arrive(0, 60, std::byte{1});
  ASSERT_EQ(ring.receive(views), 1u);
  ring.release();
  ring.start_over();
  arrive(0, 61, std::byte{2});
  ASSERT_EQ(ring.receive(views), 1u);
  EXPECT_EQ(views[0].length, 61u);
}

TEST_F(RingTest, HandsFilledSlotsOverWithTheirHeader) {
  TransmitRing ring{sockets_.ours.get(), ring_, 1522};
  auto slots = ring.reserve(2);
  ASSERT_EQ(slots.size(), 2u);
  slots[0].length = 60;
  slots[1].length = 2000;
  slots[1].offload = {.flags = VirtioNetHeader::needs_csum,
                      .gso_type = VirtioNetHeader::gso_tcp4,
                      .header_length = 54,
                      .gso_size = 1448,
                      .csum_start = 34,
                      .csum_offset = 16};
  int error = 0;
  EXPECT_EQ(ring.commit(2, error), 2u);
  EXPECT_EQ(error, 0);
  EXPECT_EQ(slot(0).tp_len, 70u);
  EXPECT_EQ(slot(1).tp_len, 2010u);
  EXPECT_EQ(slot(1).tp_status, std::uint32_t{TP_STATUS_SENDING});
  EXPECT_EQ(slot(2).tp_status, std::uint32_t{TP_STATUS_AVAILABLE});
  const auto header = read_virtio_net(
      ConstVirtioNetBytes{slots[1].data - limits::virtio_net_header, limits::virtio_net_header});
  EXPECT_EQ(header, slots[1].offload);
}

TEST_F(RingTest, OffersOnlySlotsThatTheKernelGaveBack) {
  TransmitRing ring{sockets_.ours.get(), ring_, 1522};
  int error = 0;
  for (auto& slot : ring.reserve(3)) slot.length = 60;
  ASSERT_EQ(ring.commit(3, error), 3u);
  EXPECT_EQ(ring.reserve(4).size(), 1u);
  slot(0).tp_status = TP_STATUS_AVAILABLE;
  slot(1).tp_status = TP_STATUS_SENDING;
  EXPECT_EQ(ring.reserve(4).size(), 2u);
  EXPECT_EQ(ring.commit(0, error), 0u) << "all given back";
  EXPECT_EQ(ring.reserve(4).size(), 2u);
}

TEST_F(RingTest, TakesBackWhatTheKernelLeft) {
  kernel_sends() = [] { return errno = ENETDOWN, ssize_t{-1}; };
  TransmitRing ring{sockets_.ours.get(), ring_, 1522};
  int error = 0;
  for (auto& slot : ring.reserve(4)) slot.length = 60;
  EXPECT_EQ(ring.commit(4, error), 0u);
  EXPECT_EQ(error, ENETDOWN);
  for (std::uint32_t index = 0; index < 4; ++index)
    EXPECT_EQ(slot(index).tp_status, std::uint32_t{TP_STATUS_AVAILABLE});
  EXPECT_EQ(ring.reserve(4).size(), 4u);
}

TEST_F(RingTest, TakesBackWhatTheKernelLeftWithoutAnError) {
  kernel_takes(2);  // then it had no memory
  TransmitRing ring{sockets_.ours.get(), ring_, 1522};
  int error = 0;
  for (auto& slot : ring.reserve(4)) slot.length = 60;
  EXPECT_EQ(ring.commit(4, error), 2u);
  EXPECT_EQ(error, 0);
  EXPECT_EQ(slot(1).tp_status, std::uint32_t{TP_STATUS_SENDING});
  for (const std::uint32_t index : {2u, 3u})
    EXPECT_EQ(slot(index).tp_status, std::uint32_t{TP_STATUS_AVAILABLE});
  const auto slots = ring.reserve(4);
  ASSERT_EQ(slots.size(), 2u) << "from where the kernel stopped";
  for (auto& slot : slots) slot.length = 60;
  EXPECT_EQ(ring.commit(2, error), 2u);
}

TEST_F(RingTest, RefusesWhatThePortCannotSend) {
  TransmitRing ring{sockets_.ours.get(), ring_, 1522};
  auto slots = ring.reserve(4);
  ASSERT_EQ(slots.size(), 4u);
  slots[0].length = 13;    // no Ethernet header
  slots[1].length = 1522;  // just fits
  slots[2].length = 1523;  // longer than the MTU, nothing to segment
  slots[3].length = slots[3].capacity + 1;
  slots[3].offload.gso_type = VirtioNetHeader::gso_tcp4;
  int error = 0;
  EXPECT_EQ(ring.commit(4, error), 1u);
  EXPECT_EQ(slot(1).tp_len, 1532u);
  for (const std::uint32_t index : {0u, 2u, 3u})
    EXPECT_EQ(slot(index).tp_len, 0u) << "the kernel skips it";
}

}  // namespace
}  // namespace penstock::dataplane
