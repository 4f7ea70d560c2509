#include "tests/integration/pipe_load/sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace penstock::load {
namespace {

sockaddr_in loopback(Port port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set(int socket, int level, int option) {
  const int yes = 1;
  check(::setsockopt(socket, level, option, &yes, sizeof yes), "setsockopt");
}

UniqueFd open_socket() {
  return UniqueFd{
      static_cast<int>(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"))};
}

}  // namespace

void fail(const char* what) {
  std::fprintf(stderr, "pipe-load: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

long check(long got, const char* what) {
  if (got < 0) fail(what);
  return got;
}

UniqueFd listen_at(Port port) {
  UniqueFd listener = open_socket();
  set(listener.get(), SOL_SOCKET, SO_REUSEADDR);
  const sockaddr_in address = loopback(port);
  check(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
        "bind");
  check(::listen(listener.get(), SOMAXCONN), "listen");
  return listener;
}

UniqueFd accept_from(int listener) {
  UniqueFd socket{static_cast<int>(check(::accept(listener, nullptr, nullptr), "accept"))};
  set(socket.get(), IPPROTO_TCP, TCP_NODELAY);
  return socket;
}

UniqueFd connect_to(Port port) {
  UniqueFd socket = open_socket();
  set(socket.get(), IPPROTO_TCP, TCP_NODELAY);
  const sockaddr_in address = loopback(port);
  check(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
        "connect");
  return socket;
}

void set_nonblocking(int socket) {
  const long flags = check(::fcntl(socket, F_GETFL), "fcntl");
  check(::fcntl(socket, F_SETFL, flags | O_NONBLOCK), "fcntl");
}

void send_all(int socket, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const auto sent =
        static_cast<std::size_t>(check(::send(socket, at, size, MSG_NOSIGNAL), "send"));
    at += sent;
    size -= sent;
  }
}

void receive_all(int socket, void* bytes, std::size_t size) {
  const long got = check(::recv(socket, bytes, size, MSG_WAITALL), "recv");
  if (static_cast<std::size_t>(got) == size) return;
  errno = ECONNRESET;
  fail("the pipe hung up");
}

void wait_end(int socket) {
  // TCP throws away what is received with MSG_TRUNC, without a copy of it.
  while (check(::recv(socket, nullptr, std::size_t{1} << 24, MSG_TRUNC), "recv") > 0) {
  }
}

}  // namespace penstock::load
