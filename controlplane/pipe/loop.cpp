#include "controlplane/pipe/loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace penstock::controlplane::pipe {
namespace {

// Rounded up: a deadline has passed when its wait is over.
int to_milliseconds(std::optional<std::chrono::nanoseconds> wait) {
  if (!wait) return -1;
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*wait).count();
  return static_cast<int>(std::clamp<std::int64_t>(rounded, 0, 1'000'000));
}

}  // namespace

Result<Loop> Loop::create() {
  Loop loop;
  loop.epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!loop.epoll_) return fail_errno("cannot watch sockets (epoll_create1)", errno);
  loop.wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!loop.wake_) return fail_errno("cannot wake a thread (eventfd)", errno);
  if (!loop.add(loop.wake_.get(), wake_tag)) return fail_errno("cannot watch an eventfd", errno);
  return loop;
}

bool Loop::add(int fd, void* tag) const {
  epoll_event event{.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                    .data = {.ptr = tag}};
  if (tag == wake_tag) event.events = EPOLLIN | EPOLLET;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

Loop::Events Loop::wait(std::optional<std::chrono::nanoseconds> wait) {
  const int got = epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                             to_milliseconds(wait));
  const std::span all{events_.data(), static_cast<std::size_t>(std::max(got, 0))};
  // The eventfd is never read: each write is a new edge.
  const auto woken = std::ranges::remove_if(
      all, [](const epoll_event& event) { return event.data.ptr == wake_tag; });
  return all.first(all.size() - woken.size());
}

void Loop::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto put = ::write(wake_.get(), &one, sizeof one);
}

}  // namespace penstock::controlplane::pipe
