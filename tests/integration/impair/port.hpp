// One end of the box: a packet socket on an interface, batches in and batches out. Outer VLAN
// tags are the kernel's to take out, and nobody puts them back: for untagged wires.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "path.hpp"

namespace impair {

class Port {
 public:
  static constexpr std::size_t batch = 64;

  // Throws std::system_error when the interface is not there, or we are not root.
  explicit Port(const std::string& interface);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  [[nodiscard]] int descriptor() const { return socket_; }
  // What has arrived, at most a batch, never waiting for more; valid until the next call.
  [[nodiscard]] std::span<PacketPtr> receive();
  // Returns how many the interface took.
  std::size_t send(std::span<const PacketPtr> packets);
  // Packets that the kernel had no room to keep for us, since the start.
  [[nodiscard]] std::uint64_t kernel_dropped();

 private:
  int socket_ = -1;
  std::array<PacketPtr, batch> buffers_;
  std::uint64_t kernel_dropped_ = 0;
};

}  // namespace impair
