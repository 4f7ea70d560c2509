#include "controlplane/pipe/acceptor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace penstock::controlplane::pipe {
namespace {

// Accepted in one go, before the workers are looked at again.
constexpr unsigned accepts_a_turn = 64;
constexpr int pause_ms = 100;  // where the system has nothing left

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Acceptor::~Acceptor() {
  stop();
  join();
}

Result<void> Acceptor::start(ConnectionLimit limit) {
  limit_ = limit;
  wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return fail_errno("cannot wake a thread (eventfd)", errno);
  thread_ = std::thread{[this] { run(); }};
  return {};
}

void Acceptor::stop() {
  is_stopped_ = true;
  wake();
}

void Acceptor::join() {
  if (thread_.joinable()) thread_.join();
}

void Acceptor::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto put = ::write(wake_.get(), &one, sizeof one);
}

void Acceptor::count_end() {
  living_.fetch_sub(1);
  // Whoever waits has said so before it looked at the number.
  if (is_waiting_for_room_) wake();
}

void Acceptor::run() {
  while (!is_stopped_) {
    if (is_full()) {
      wait_for_room();
    } else {
      wait_for_connection();
      if (!is_stopped_) accept_some();
    }
  }
  listener_.reset();
  for (const auto& worker : workers_) worker->close();
}

void Acceptor::wait_for_room() {
  unsigned held_back = 0;
  if (full_log_.allow(monotonic_now(), held_back)) {
    log::warn(fmt::format("the limit of {} connections ({}) is reached; who connects now waits "
                          "until one ends",
                          limit_.connections, limit_.what));
  }
  is_waiting_for_room_ = true;
  while (is_full() && !is_stopped_) {
    pollfd room{.fd = wake_.get(), .events = POLLIN, .revents = 0};
    ::poll(&room, 1, -1);
    std::uint64_t wakes = 0;
    [[maybe_unused]] const auto got = ::read(wake_.get(), &wakes, sizeof wakes);
  }
  is_waiting_for_room_ = false;
}

void Acceptor::wait_for_connection() {
  std::array<pollfd, 2> both{pollfd{.fd = listener_.get(), .events = POLLIN, .revents = 0},
                             pollfd{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  ::poll(both.data(), both.size(), -1);
  std::uint64_t wakes = 0;
  if (both[1].revents != 0) [[maybe_unused]]
    const auto got = ::read(wake_.get(), &wakes, sizeof wakes);
}

void Acceptor::accept_some() {
  for (unsigned i = 0; i < accepts_a_turn && !is_full(); ++i) {
    SocketAddress peer;
    peer.size = sizeof peer.storage;
    const int fd = ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer.storage),
                             &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (is_shortage(errno)) wait_out(errno);
      return;  // none is there, or this one is gone again
    }
    accepted_.fetch_add(1, std::memory_order_relaxed);
    living_.fetch_add(1);
    hand_out({UniqueFd{fd}, peer});
  }
}

void Acceptor::hand_out(Accepted accepted) {
  const auto fewest = std::ranges::min_element(
      workers_, {}, [](const std::unique_ptr<Worker>& worker) { return worker->load(); });
  (*fewest)->take(std::move(accepted));
}

void Acceptor::wait_out(int error) {
  unsigned held_back = 0;
  if (error_log_.allow(monotonic_now(), held_back)) {
    log::warn(std::string{"cannot accept a connection: "} + ::strerrordesc_np(error) +
              "; those who connect wait: raise the limit on open files (ulimit -n), or lower -n");
  }
  pollfd stopped{.fd = wake_.get(), .events = POLLIN, .revents = 0};
  ::poll(&stopped, 1, pause_ms);
}

}  // namespace penstock::controlplane::pipe
