// A packet socket with a receive and a transmit ring in shared memory (TPACKET_V2, see
// packet(7) and the kernel's packet_mmap.rst), bound to one interface. Version 2, since
// version 3 hands packets over by the block: a lone packet would wait a millisecond or more.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/base/bytes.hpp"
#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"

#include "dataplane/device/fanout.hpp"
#include "dataplane/device/kernel_interface.hpp"
#include "dataplane/device/open_port.hpp"

struct tpacket2_hdr;

namespace penstock::dataplane {

// Slots of one size, one after the other. A ring's memory is a whole number of blocks, each
// of `block_slots` slots and of whole pages.
struct RingShape {
  std::uint32_t slot_size = 0;
  std::uint32_t block_slots = 0;
  std::uint32_t blocks = 0;

  [[nodiscard]] constexpr std::uint32_t slots() const { return block_slots * blocks; }
  [[nodiscard]] constexpr std::size_t bytes() const { return std::size_t{slot_size} * slots(); }

  // Slots of at least `slot_bytes`, as many as fit `memory`, but at least one block of them.
  [[nodiscard]] static RingShape fit(std::size_t slot_bytes, std::size_t memory);
};

// The slots as both sides see them; each starts with a tpacket2_hdr.
struct RingView {
  std::byte* base = nullptr;
  RingShape shape;

  [[nodiscard]] tpacket2_hdr* header(std::uint32_t slot) const;
};

class PacketSocket {
 public:
  // One of `members` that share the interface, each with a share of the memory to send from.
  // Without a fanout, as the only one: bound and receiving when it returns, and not before all
  // options are set. With one: bound and joined; packets come when the fanout is opened.
  [[nodiscard]] static Result<PacketSocket> open(const KernelInterface& interface, PortSide side,
                                                 unsigned members, Fanout* fanout);
  PacketSocket(PacketSocket&& other) noexcept;
  PacketSocket& operator=(PacketSocket&&) = delete;
  ~PacketSocket();

  // A new, empty receive ring in the old one's place; all else stays: descriptor, addresses,
  // transmit ring. No packet may be in view. Unless renewed, nothing is received or sent until a
  // later call succeeds; errno says why.
  enum class Renewal : std::uint8_t {
    untouched,  // the kernel did nothing yet
    halfway,    // it took the old ring, and the socket is the last of its fanout
    renewed,    // the same, and the new ring is there
  };
  [[nodiscard]] Renewal renew_receive_ring();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] RingView receive_ring() const { return {memory_.data(), receive_}; }
  [[nodiscard]] RingView transmit_ring() const {
    return {memory_.data() + receive_.bytes(), transmit_};
  }

 private:
  PacketSocket() = default;
  [[nodiscard]] Result<void> configure();
  [[nodiscard]] Result<void> map_rings();
  [[nodiscard]] Result<void> listen(const KernelInterface& interface, PortSide side) const;
  [[nodiscard]] Result<void> bind(const KernelInterface& interface) const;

  UniqueFd fd_;
  RingShape receive_;
  RingShape transmit_;
  MutableBytes memory_;
};

}  // namespace penstock::dataplane
