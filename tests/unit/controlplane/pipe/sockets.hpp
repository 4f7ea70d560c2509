// What the tests of a pipe's moving parts share: sockets, bytes to send, and waiting for what
// another thread does.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "penstock/base/bytes.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/crypto/engine_plan.hpp"
#include "penstock/crypto/key_schedule.hpp"

namespace penstock::controlplane::pipe {

using ByteVector = std::vector<std::byte>;

// Far more than anything takes; only a test that fails waits so long.
inline constexpr std::chrono::seconds patience{20};

inline const EnginePlan& plan() {
  static const EnginePlan the_plan = EnginePlan::measure({.allow_slow = true}).value();
  return the_plan;
}

inline crypto::FileKey file_key(std::string_view contents = "of both") {
  return crypto::derive_file_key(as_bytes(contents));
}

inline ByteVector pattern(std::size_t size, unsigned seed = 1) {
  ByteVector bytes(size);
  std::uint32_t state = seed;
  for (std::byte& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

// Two ends of a stream; `near` does not block. With `small` either holds no more than a few kB.
struct SocketPair {
  explicit SocketPair(bool small = false) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    near.reset(ends[0]);
    far.reset(ends[1]);
    const int least = 1;  // the kernel takes its minimum
    for (const int end : ends) {
      if (small) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    }
  }
  UniqueFd near;
  UniqueFd far;
};

inline bool is_readable(int fd, std::chrono::milliseconds wait = patience) {
  pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, static_cast<int>(wait.count())) == 1;
}

// Until `size` bytes are here, or the stream has ended.
inline ByteVector read_bytes(int fd, std::size_t size) {
  ByteVector bytes(size);
  std::size_t here = 0;
  while (here < size && is_readable(fd)) {
    const ssize_t got = ::read(fd, bytes.data() + here, size - here);
    if (got <= 0) break;
    here += static_cast<std::size_t>(got);
  }
  bytes.resize(here);
  return bytes;
}

// Of a stream, or what came instead of its end.
enum class Last : std::uint8_t { closed, reset, bytes, nothing };
inline Last last_of(int fd) {
  std::byte byte{};
  if (!is_readable(fd)) return Last::nothing;
  const ssize_t got = ::read(fd, &byte, 1);
  if (got > 0) return Last::bytes;
  return got == 0 ? Last::closed : Last::reset;
}

inline void write_bytes(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    pollfd one{.fd = fd, .events = POLLOUT, .revents = 0};
    ASSERT_EQ(::poll(&one, 1, static_cast<int>(std::chrono::milliseconds{patience}.count())), 1);
    const ssize_t put = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EAGAIN) continue;
    ASSERT_GT(put, 0);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

template <class Condition>
[[nodiscard]] bool eventually(Condition holds) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

}  // namespace penstock::controlplane::pipe
