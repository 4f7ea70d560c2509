#include "penstock/ipc/channel.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include <fmt/format.h>

namespace penstock::ipc {
namespace {

// Clients that wait to be accepted cost us nothing; one too many is told to try again.
constexpr int backlog = 128;

struct SocketAddress {
  sockaddr_un un{};
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&un); }
  static constexpr socklen_t size = sizeof(sockaddr_un);
};

Result<SocketAddress> address_of(const std::filesystem::path& path) {
  SocketAddress address;
  address.un.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.empty() || text.size() >= sizeof address.un.sun_path) {
    return fail(ErrorKind::config,
                fmt::format("the socket path {} is too long; choose a shorter run_dir", text));
  }
  text.copy(address.un.sun_path, text.size());
  return address;
}

UniqueFd make_socket(int socket_type) {
  return UniqueFd{::socket(AF_UNIX, socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

// Whether somebody listens at the address, whatever the type of the socket.
bool somebody_answers(const SocketAddress& address, int socket_type) {
  const UniqueFd probe = make_socket(socket_type);
  return ::connect(probe.get(), address.get(), address.size) == 0 || errno == EAGAIN ||
         errno == EPROTOTYPE;
}

// Binds, in place of a socket file that a dead process left.
Result<void> bind_at(int fd, const SocketAddress& address, int socket_type) {
  const char* const path = address.un.sun_path;
  if (::bind(fd, address.get(), address.size) == 0) return {};
  if (errno == EADDRINUSE) {
    struct stat status{};
    if (::lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode)) {
      return fail(ErrorKind::busy, fmt::format("{} is in the way of our socket; remove it", path));
    }
    if (somebody_answers(address, socket_type)) {
      return fail(ErrorKind::busy,
                  fmt::format("another Penstock answers at {}; stop it first", path));
    }
    ::unlink(path);
    if (::bind(fd, address.get(), address.size) == 0) return {};
  }
  return fail_errno(fmt::format("cannot make the socket {}", path), errno);
}

// The ones above it are as every directory.
Result<void> make_private_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (!error && ::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    error = {errno, std::generic_category()};
  if (!error) return {};
  return fail_errno(fmt::format("cannot make the directory {}", directory.string()), error.value());
}

}  // namespace

Channel::Channel(UniqueFd socket) : socket_(std::move(socket)) {}

ReceiveStatus Channel::receive() {
  const MutableBytes buffer = buffer_.fill();
  ssize_t count = 0;
  do {
    // MSG_TRUNC: the packet's own length, so that one too long is seen as such.
    count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return ReceiveStatus::nothing_yet;
  if (count < static_cast<ssize_t>(sizeof(Header)) ||
      static_cast<std::size_t>(count) > max_message) {
    return ReceiveStatus::closed;
  }
  length_ = static_cast<std::size_t>(count);
  return ReceiveStatus::message;
}

void Channel::wipe_received() { wipe(buffer_.fill()); }

SendStatus Channel::try_send_bytes(Bytes message) {
  ssize_t count = 0;
  do {
    count = ::send(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count == static_cast<ssize_t>(message.size())) return SendStatus::sent;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? SendStatus::later
                                                                     : SendStatus::gone;
}

Result<UniqueFd> listen_at(const std::filesystem::path& path, int socket_type) {
  const auto address = address_of(path);
  if (!address) return std::unexpected{address.error()};
  if (auto made = make_private_directory(path.parent_path()); !made)
    return std::unexpected{made.error()};
  UniqueFd listener = make_socket(socket_type);
  if (!listener) return fail_errno("cannot make a Unix socket", errno);
  if (auto bound = bind_at(listener.get(), *address, socket_type); !bound) {
    return std::unexpected{bound.error()};
  }
  // Nobody can connect before listen(), so the mode is in force from the first client on.
  if (::chmod(address->un.sun_path, 0600) != 0 || ::listen(listener.get(), backlog) != 0) {
    return fail_errno(fmt::format("cannot listen at {}", path.string()), errno);
  }
  return listener;
}

bool AcceptedPeer::is_trusted() const { return uid == 0 || uid == ::geteuid(); }

std::optional<AcceptedPeer> accept_peer(int listener) {
  UniqueFd client{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  if (!client) return std::nullopt;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return AcceptedPeer{.socket = std::move(client), .uid = peer.uid, .pid = peer.pid};
}

std::optional<UniqueFd> accept_trusted(int listener) {
  auto peer = accept_peer(listener);
  if (!peer || !peer->is_trusted()) return std::nullopt;
  return std::move(peer->socket);
}

Result<UniqueFd> connect_to(const std::filesystem::path& path, int socket_type) {
  const auto address = address_of(path);
  if (!address) return std::unexpected{address.error()};
  UniqueFd fd = make_socket(socket_type);
  if (!fd) return fail_errno("cannot make a Unix socket", errno);
  if (::connect(fd.get(), address->get(), address->size) != 0) {
    return fail_errno(fmt::format("cannot reach {}", path.string()), errno);
  }
  return fd;
}

bool is_abandoned(const std::filesystem::path& path, int socket_type) {
  const auto address = address_of(path);
  const UniqueFd probe = make_socket(socket_type);
  if (!address || !probe || ::connect(probe.get(), address->get(), address->size) == 0)
    return false;
  return errno == ENOENT || errno == ECONNREFUSED;
}

}  // namespace penstock::ipc
