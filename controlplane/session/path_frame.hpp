// How large the frames of a link with mtu = "auto" may be, by what the data plane's probes say of
// its path. Where nothing is known, or what was known did not do, it is the size of a handshake
// message, which a path carries or there is no link. Decides only; source: docs/protocol.md,
// "Path probes".
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "penstock/base/clock.hpp"
#include "penstock/link/path_mtu.hpp"

namespace penstock::controlplane {

class PathFrame {
 public:
  // What the next session's frames may have.
  [[nodiscard]] std::uint16_t size() const { return size_; }

  // Probes say so.
  void found(std::uint16_t size) { size_ = size; }
  // A living session has frames of this size, and nothing says that they do not pass.
  void adopt(std::uint16_t size) { size_ = std::max(size_, size); }
  // A session of such frames fell silent, or was never heard on. When that happens again and again
  // although probes pass, the next try to grow waits longer each time.
  void doubt(Time now);
  // When a session with larger frames may be made at the earliest. Both sites find what there is at
  // about the same time: a moment later one handshake serves both.
  [[nodiscard]] Time may_grow(Time now) const { return std::max(now + settle, grow_at_); }

 private:
  static constexpr Time settle = std::chrono::seconds{1};
  static constexpr Time first_wait = std::chrono::seconds{10};
  static constexpr Time last_wait = std::chrono::seconds{600};

  std::uint16_t size_ = PathMtu::base_size;
  Time wait_{};  // 0: it was never doubted
  Time doubted_at_{};
  Time grow_at_{};
};

inline void PathFrame::doubt(Time now) {
  if (size_ == PathMtu::base_size) return;
  const bool is_again = wait_ != Time{} && now < doubted_at_ + last_wait;
  wait_ = is_again ? std::min(2 * wait_, last_wait) : first_wait;
  doubted_at_ = now;
  grow_at_ = now + wait_;
  size_ = PathMtu::base_size;
}

}  // namespace penstock::controlplane
