#include "tests/integration/pipe_load/clients.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

namespace penstock::load {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

constexpr std::size_t file_size = std::size_t{4} << 20;
constexpr std::size_t piece = std::size_t{1} << 20;
constexpr std::size_t opening = 8;  // handshakes under way in `hold`: spiped's backlog is 10

double seconds_since(Clock::time_point began) { return Seconds{Clock::now() - began}.count(); }

void print(const ordered_json& line) {
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

// Random bytes to send without a copy of them.
UniqueFd memory_file() {
  UniqueFd file{static_cast<int>(check(::memfd_create("pipe-load", MFD_CLOEXEC), "memfd_create"))};
  std::vector<std::uint64_t> words(file_size / sizeof(std::uint64_t));
  std::ranges::generate(words, std::mt19937_64{1});
  check(::write(file.get(), words.data(), file_size), "write");
  return file;
}

std::vector<UniqueFd> connect_all(Port port, std::size_t connections) {
  std::vector<UniqueFd> sockets;
  while (sockets.size() < connections) sockets.push_back(connect_to(port));
  return sockets;
}

// As much as goes at once, a piece at most.
std::size_t push_some(int socket, int file, std::size_t sent) {
  off_t at = static_cast<off_t>(sent % piece);
  const long went = ::sendfile(socket, file, &at, piece);
  if (went < 0 && errno == EAGAIN) return 0;
  return static_cast<std::size_t>(check(went, "sendfile"));
}

std::size_t push_until(Clock::time_point end, const std::vector<UniqueFd>& sockets) {
  const UniqueFd file = memory_file();
  const UniqueFd epoll{static_cast<int>(check(::epoll_create1(0), "epoll_create1"))};
  for (const UniqueFd& socket : sockets) {
    set_nonblocking(socket.get());
    epoll_event event{.events = EPOLLOUT, .data = {.fd = socket.get()}};
    check(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket.get(), &event), "epoll_ctl");
  }
  std::array<epoll_event, 128> events{};
  std::size_t sent = 0;
  while (Clock::now() < end) {
    const long ready =
        check(::epoll_wait(epoll.get(), events.data(), events.size(), 100), "epoll_wait");
    for (long i = 0; i < ready; ++i)
      sent += push_some(events[static_cast<std::size_t>(i)].data.fd, file.get(), sent);
  }
  return sent;
}

void finish(const std::vector<UniqueFd>& sockets) {
  for (const UniqueFd& socket : sockets) {
    check(::fcntl(socket.get(), F_SETFL, 0), "fcntl");
    check(::shutdown(socket.get(), SHUT_WR), "shutdown");
  }
  for (const UniqueFd& socket : sockets) wait_end(socket.get());
}

void exchange(int socket) {
  char byte = 'x';
  send_all(socket, &byte, 1);
  receive_all(socket, &byte, 1);
}

}  // namespace

void push(Port port, std::size_t connections, Seconds length) {
  const std::vector<UniqueFd> sockets = connect_all(port, connections);
  char greeting = 0;
  for (const UniqueFd& socket : sockets) receive_all(socket.get(), &greeting, 1);
  const auto began = Clock::now();
  const std::size_t sent =
      push_until(began + std::chrono::duration_cast<Clock::duration>(length), sockets);
  finish(sockets);
  print({{"bytes", sent}, {"seconds", seconds_since(began)}});
}

void ask(Port port, Seconds length) {
  const UniqueFd socket = connect_to(port);
  for (int i = 0; i < 100; ++i) exchange(socket.get());
  std::vector<double> took;
  for (const auto began = Clock::now(); seconds_since(began) < length.count();) {
    const auto asked = Clock::now();
    exchange(socket.get());
    took.push_back(1e6 * seconds_since(asked));
  }
  std::ranges::sort(took);
  print({{"count", took.size()},
         {"p50_us", took[took.size() / 2]},
         {"p99_us", took[took.size() * 99 / 100]}});
}

void reconnect(Port port, std::size_t parallel, Seconds length) {
  std::atomic<std::size_t> count = 0;
  const auto began = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < parallel; ++i)
      threads.emplace_back([&] {
        while (seconds_since(began) < length.count()) {
          exchange(connect_to(port).get());
          ++count;
        }
      });
  }
  print({{"count", count.load()}, {"seconds", seconds_since(began)}});
}

void hold(Port port, std::size_t connections) {
  std::vector<UniqueFd> sockets;
  char byte = 'x';
  const auto answered = [&](std::size_t index) { receive_all(sockets[index].get(), &byte, 1); };
  for (std::size_t i = 0; i < connections; ++i) {
    sockets.push_back(connect_to(port));
    send_all(sockets.back().get(), &byte, 1);
    if (i >= opening) answered(i - opening);
  }
  for (std::size_t i = connections - std::min(connections, opening); i < connections; ++i)
    answered(i);
  print({{"connections", connections}});
  while (std::getchar() != EOF) {
  }
}

}  // namespace penstock::load
