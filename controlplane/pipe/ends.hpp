// Why connections end: counted, and told to the operator.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "penstock/base/clock.hpp"
#include "penstock/base/log.hpp"

namespace penstock::controlplane::pipe {

// Each is counted, and all but the first logged, at most once a second each.
enum class End : std::uint8_t {
  finished,        // both ways were closed, or the plain side hung up
  no_target,       // no address of the target took the connection in time
  handshake_late,  // the far side did not finish its handshake in time
  handshake_cut,   // it closed during the handshake
  bad_handshake,   // a MAC that does not hold: another key, or changed on the way
  not_forward,     // -g, and the far side has no forward secrecy
  bad_packet,      // a packet that does not hold: changed on the way
  cut_packet,      // the far side closed inside a packet
  reset,           // the sealed socket's error
  count,
};
inline constexpr auto end_count = static_cast<std::size_t>(End::count);
// What to tell an operator: a clause that says what to do, where something can be done.
[[nodiscard]] std::string_view to_string(End end);

class EndLog {
 public:
  // Any thread. `detail` names the peer.
  void report(End end, std::string_view detail, Time now);
  [[nodiscard]] std::uint64_t count(End end) const {
    return counts_[static_cast<std::size_t>(end)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, end_count> counts_{};
  std::mutex mutex_;
  std::array<log::RateLimit, end_count> limits_ = make_limits();
  static std::array<log::RateLimit, end_count> make_limits();
};

}  // namespace penstock::controlplane::pipe
