// A SOCK_SEQPACKET connection that carries ipc messages, and the listening end of it.
#pragma once

#include <sys/types.h>

#include <cstring>
#include <filesystem>
#include <optional>
#include <span>

#include "penstock/base/bytes.hpp"
#include "penstock/base/error.hpp"
#include "penstock/base/unique_fd.hpp"
#include "penstock/ipc/messages.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::ipc {

// A whole message as it arrived: at least a Header.
class Received {
 public:
  explicit Received(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] Header header() const {
    Header header;
    std::memcpy(&header, bytes_.data(), sizeof header);
    return header;
  }
  // The message as an M; empty when type or size say it is none.
  template <Message M>
  [[nodiscard]] const M* as() const {
    if (header().type != M::type || bytes_.size() != sizeof(M)) return nullptr;
    return reinterpret_cast<const M*>(bytes_.data());
  }

 private:
  Bytes bytes_;
};

enum class ReceiveStatus { message, nothing_yet, closed };
enum class SendStatus { sent, later, gone };  // later: the peer does not read

// Non-blocking both ways. Owns a receive buffer in secret memory (install_session carries keys).
class Channel {
 public:
  explicit Channel(UniqueFd socket);

  [[nodiscard]] int fd() const { return socket_.get(); }
  // False when the peer is gone or does not read: drop the connection.
  template <Message M>
  [[nodiscard]] bool send(const M& message) {
    return try_send(message) == SendStatus::sent;
  }
  template <Message M>
  [[nodiscard]] SendStatus try_send(const M& message) {
    return try_send_bytes(std::as_bytes(std::span{&message, 1}));
  }
  // Of a message that was copied.
  [[nodiscard]] SendStatus try_send_bytes(Bytes message);
  // After `message`, received() is valid until the next receive(). Packets shorter than a
  // Header or longer than max_message close the channel.
  [[nodiscard]] ReceiveStatus receive();
  [[nodiscard]] Received received() const { return Received{buffer_.reveal().first(length_)}; }
  // Wipes the receive buffer: call after install_session was used.
  void wipe_received();

 private:
  UniqueFd socket_;
  SecretBuffer buffer_{max_message};
  std::size_t length_ = 0;
};

// Binds `path` (mode 0600; its directory is made, for us alone, and those above it). A socket file
// that nobody answers is replaced; one that somebody answers is ErrorKind::busy.
[[nodiscard]] Result<UniqueFd> listen_at(const std::filesystem::path& path, int socket_type);
// A connection, and who is at its other end.
struct AcceptedPeer {
  UniqueFd socket;
  uid_t uid;
  pid_t pid;
  // Runs as root or as our own user.
  [[nodiscard]] bool is_trusted() const;
};
[[nodiscard]] std::optional<AcceptedPeer> accept_peer(int listener);
// Takes one waiting connection whose peer runs as root or as our own user; others are closed.
[[nodiscard]] std::optional<UniqueFd> accept_trusted(int listener);
[[nodiscard]] Result<UniqueFd> connect_to(const std::filesystem::path& path, int socket_type);
// Whether no program has this socket: there is no such file, or a dead process left it. One that
// hangs, or serves somebody else, has it.
[[nodiscard]] bool is_abandoned(const std::filesystem::path& path, int socket_type);

}  // namespace penstock::ipc
