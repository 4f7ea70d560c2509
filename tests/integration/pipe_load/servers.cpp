#include "tests/integration/pipe_load/servers.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penstock::load {
namespace {

constexpr std::size_t room = std::size_t{256} << 10;

void watch(int epoll, int socket) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
  check(::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
}

// One thread for all connections. `greet` is told of a new one; `serve` that one has something,
// and returns whether it goes on.
template <typename Greet, typename Serve>
[[noreturn]] void serve_all(Port port, Greet greet, Serve serve) {
  const UniqueFd listener = listen_at(port);
  const UniqueFd epoll{static_cast<int>(check(::epoll_create1(0), "epoll_create1"))};
  watch(epoll.get(), listener.get());
  std::unordered_map<int, UniqueFd> sockets;
  std::array<epoll_event, 64> events{};
  for (;;) {
    const long ready = ::epoll_wait(epoll.get(), events.data(), events.size(), -1);
    for (long i = 0; i < ready; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == listener.get()) {
        UniqueFd fresh = accept_from(listener.get());
        const int number = fresh.get();
        greet(number);
        watch(epoll.get(), number);
        sockets.emplace(number, std::move(fresh));
      } else if (!serve(socket)) {
        sockets.erase(socket);
      }
    }
  }
}

// Until `from` ends; then the other half ends, too.
void copy(int from, int to) {
  std::vector<char> buffer(room);
  for (;;) {
    const long got = ::recv(from, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    for (long at = 0; at < got;) {
      const long sent = ::send(to, &buffer[static_cast<std::size_t>(at)],
                               static_cast<std::size_t>(got - at), MSG_NOSIGNAL);
      if (sent < 0) return;
      at += sent;
    }
  }
  ::shutdown(to, SHUT_WR);
}

}  // namespace

void run_sink(Port port) {
  serve_all(
      port, [](int socket) { send_all(socket, "!", 1); },
      [](int socket) { return ::recv(socket, nullptr, std::size_t{1} << 24, MSG_TRUNC) > 0; });
}

void run_echo(Port port) {
  std::vector<char> buffer(room);
  serve_all(
      port, [](int) {},
      [&](int socket) {
        const long got = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (got <= 0) return false;
        return ::send(socket, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
      });
}

void run_relay(Port port, Port target) {
  const UniqueFd listener = listen_at(port);
  for (;;) {
    auto near = std::make_shared<UniqueFd>(accept_from(listener.get()));
    auto far = std::make_shared<UniqueFd>(connect_to(target));
    std::thread{[near, far] { copy(near->get(), far->get()); }}.detach();
    std::thread{[near, far] { copy(far->get(), near->get()); }}.detach();
  }
}

}  // namespace penstock::load
