// A thread's epoll: descriptors are announced once, and an event comes with every change of what
// they can do. Somebody else's thread may wake it.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <optional>
#include <span>

#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"

namespace penstock::controlplane::pipe {

class Loop {
 public:
  [[nodiscard]] static Result<Loop> create();

  // Until the descriptor is closed its events carry `tag` (epoll_data::ptr), which is not null.
  // False where it cannot be watched since it is always ready (a regular file).
  [[nodiscard]] bool add(int fd, void* tag) const;

  // Events, at most 256, or none when `wait` has passed; without a `wait`, for ever. A wake is
  // none either. Valid until the next call.
  using Events = std::span<const epoll_event>;
  [[nodiscard]] Events wait(std::optional<std::chrono::nanoseconds> wait);

  void wake() const;  // any thread

 private:
  static constexpr void* wake_tag = nullptr;

  UniqueFd epoll_;
  UniqueFd wake_;
  std::array<epoll_event, 256> events_;
};

}  // namespace penstock::controlplane::pipe
