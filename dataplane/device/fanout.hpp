// Several packet sockets of one interface as one: the kernel hands each packet to one of them
// (packet(7), PACKET_FANOUT). Of the plain port by a hash of the flow, which looks at a fragment's
// addresses only; fragments stay fragments. Of the wire port by the lane of the frame, with a
// program of ours.
#pragma once

#include <linux/filter.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "penstock/base/error.hpp"

namespace penstock::dataplane {

// A classic BPF program that returns, of a packet that begins behind its Ethernet header,
// places[lane % places.size()] of a data frame to UDP port `port`, and places[0] of anything else.
// An IPv4 header with options, or an IPv6 header with extensions, is no data frame's. At most 64
// places.
[[nodiscard]] std::vector<sock_filter> lane_program(std::uint16_t port,
                                                    std::span<const std::uint8_t> places);

class Fanout {
 public:
  // By lane where there is a port, else by flow.
  explicit Fanout(std::optional<std::uint16_t> frame_port) : frame_port_(frame_port) {}

  // A socket that is not bound yet: nothing reaches it until open(), so that no packet comes twice
  // while the members are not all here.
  [[nodiscard]] static Result<void> shut(int fd);
  // It is bound now, and the next member.
  [[nodiscard]] Result<void> join(int fd);
  // All have joined: packets come. What this machine sends on the interface does not: the group
  // would see it, whatever its members say (PACKET_IGNORE_OUTGOING).
  [[nodiscard]] Result<void> open(std::span<const int> members) const;

  // --- any worker, when something rare happened ---------------------------------------
  // The ring of the member that joined as number `member` was made anew; the kernel has put its
  // last member in its place meanwhile, and it behind all others.
  void rejoined(unsigned member, int fd);
  // The interface was down: the kernel took all members out, and puts them back as they joined.
  void was_down(int fd);
  // Now and then: tells the kernel again where it did not take what the last of these changed.
  void mend(int fd);

 private:
  [[nodiscard]] bool load(int fd) const;
  void reload(int fd);

  std::optional<std::uint16_t> frame_port_;
  int id_ = 0;
  std::mutex mutex_;                   // no packet waits for it
  std::vector<std::uint8_t> places_;   // of members, in the kernel's list of them
  std::atomic<bool> is_stale_{false};  // the kernel has a program by other places
};

}  // namespace penstock::dataplane
