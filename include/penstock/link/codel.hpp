// CoDel (RFC 8289): keeps a queue from standing. A packet's time in the queue is looked at when it
// is about to leave; only when it was over `target` for a whole `interval` is something done to
// one packet, and the longer it stays so, the more often: after interval / sqrt(count). Knows
// times and lengths; the caller drops or marks. One instance a queue, one thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/base/clock.hpp"

namespace penstock {

struct CodelSettings {
  Time target = std::chrono::milliseconds{5};      // what a standing queue may cost
  Time interval = std::chrono::milliseconds{100};  // about the longest usual round trip

  bool operator==(const CodelSettings&) const = default;
};

// For a link that sends a frame with room for `payload` bytes of blocks every `frame_interval`.
// What a packet needs to leave, and half as much again, is not a standing queue (as RFC 8289,
// section 4.4 has it for slow links); the interval is never less than twice the target.
[[nodiscard]] CodelSettings codel_for(Time frame_interval, std::size_t payload);

class Codel {
 public:
  enum class Verdict : std::uint8_t {
    pass,
    act,  // drop this packet, and ask about the next; or mark it and let it go
  };

  // A queue of no more than this many bytes is never acted upon: RFC 8289's maxpacket.
  static constexpr std::size_t one_packet = 1518;

  // About the packet at the head, which waited for `waited`; `behind` bytes stand behind it. Once
  // for each packet, in order.
  [[nodiscard]] Verdict judge(Time waited, std::size_t behind, Time now,
                              const CodelSettings& settings);
  // The queue has run empty, or is another from now on.
  void rest() { *this = Codel{}; }

 private:
  [[nodiscard]] bool has_stood(Time waited, std::size_t behind, Time now,
                               const CodelSettings& settings);
  void begin(Time now, const CodelSettings& settings);

  static constexpr Time never = Time::min();

  Time above_until_ = never;  // over target since an interval before; `never`: it is not
  Time next_ = never;         // while acting: when to act again
  std::uint32_t count_ = 0;   // of what was done since acting began
  std::uint32_t last_count_ = 0;
  bool is_acting_ = false;
};

}  // namespace penstock
