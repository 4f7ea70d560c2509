// What a bad path does to the packets of one direction, decided packet by packet: no sockets and
// no clock of its own, and the same seed, settings and packets give the same losses.
//
//   packet -> too long? -> lost? -> bottleneck (its queue full?) -> CE mark -> copy
//          -> held back behind later packets -> delay -> out
//
// The books balance: seen + duplicated = too_long + lost + queue_full + taken out + inside.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace impair {

using Time = std::chrono::nanoseconds;  // of a monotonic clock

struct Packet {
  static constexpr std::size_t max_size = 16 << 10;
  std::size_t size = 0;
  std::array<unsigned char, max_size> bytes;  // from the Ethernet header on, untagged

  [[nodiscard]] std::span<unsigned char> view() { return {bytes.data(), size}; }
};
using PacketPtr = std::unique_ptr<Packet>;

// Probabilities are 0 to 1; 0 everywhere: that does not happen.
struct Settings {
  double loss = 0;         // each packet by itself; with bursts: outside of them
  double burst_enter = 0;  // Gilbert and Elliott: a packet is the first of a burst
  double burst_leave = 1;  // ... the first behind it
  double burst_loss = 1;   // ... within it, each packet
  double duplicate = 0;
  double reorder = 0;  // is held back until 1 to reorder_distance later ones have passed
  std::uint32_t reorder_distance = 0;
  Time reorder_wait = std::chrono::milliseconds{1};  // ... or this long, when nothing follows
  Time delay{0};
  Time jitter{0};                  // 0 to this is added to each one's delay: order is not kept
  std::uint32_t mtu = 0;           // bytes behind the Ethernet header; longer ones vanish. 0: any
  double mark = 0;                 // CE on what says it can bear it (RFC 3168)
  std::uint64_t rate = 0;          // bits a second of whole packets, no preamble. 0: no bottleneck
  std::uint32_t queue = 64 << 10;  // bytes before the bottleneck; what does not fit is dropped
};

struct Tally {
  std::uint64_t seen = 0;
  std::uint64_t too_long = 0;
  std::uint64_t lost = 0;
  std::uint64_t queue_full = 0;
  std::uint64_t marked = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;  // held back until later ones had passed, or for reorder_wait
};

class Path {
 public:
  static constexpr std::size_t max_inside = 1 << 15;  // packets; more are dropped as queue_full

  explicit Path(std::uint64_t seed) : dice_{seed} {}

  // For packets that arrive from now on. What is inside keeps its delay.
  void set(const Settings& settings);
  void arrive(PacketPtr packet, Time now);
  // The next packet to go out, in order; null when none is due.
  [[nodiscard]] PacketPtr depart(Time now);
  // When to look again; nothing is inside otherwise.
  [[nodiscard]] std::optional<Time> next_due() const;

  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] std::size_t inside() const { return held_.size() + waiting_.size(); }

 private:
  struct Held {
    PacketPtr packet;
    Time due;               // as it would have been
    Time latest;            // when it goes even if nothing passes
    std::uint32_t to_pass;  // later packets
  };
  struct Waiting {
    PacketPtr packet;
    Time due;
    std::uint64_t number;  // equal times leave in this order
  };
  static bool is_later(const Waiting& left, const Waiting& right);

  [[nodiscard]] bool happens(double probability);
  [[nodiscard]] bool is_lost();
  // When it is through the bottleneck; none when the queue before it is full.
  [[nodiscard]] std::optional<Time> squeeze(std::size_t size, Time now);
  void send_on(PacketPtr packet, Time due, Time now);
  void pass(PacketPtr packet, Time due);
  void release_overdue(Time now);

  Settings settings_;
  std::mt19937_64 dice_;
  Tally tally_;
  bool is_in_burst_ = false;
  Time bottleneck_free_{0};
  std::vector<Held> held_;
  std::vector<Waiting> waiting_;  // a heap
  std::uint64_t next_number_ = 0;
};

// Turns ECT(0) or ECT(1) of an IPv4 or IPv6 packet into CE, checksum and all; false when the
// packet cannot bear it, or has it already.
bool mark_ce(std::span<unsigned char> ethernet);

}  // namespace impair
