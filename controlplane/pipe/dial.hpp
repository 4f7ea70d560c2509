// Connecting to the target: its addresses in turn, the next when one refuses, as spiped does.
// The time for all of them is the connection's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "penstock/base/unique_fd.hpp"

#include "controlplane/pipe/targets.hpp"

namespace penstock::controlplane::pipe {

class Dial {
 public:
  // `from` is where to connect from, if it has a size; it outlives the dial.
  Dial(Targets::List targets, const SocketAddress& from)
      : targets_(std::move(targets)), from_(from) {}

  enum class State : std::uint8_t { waiting, connected, failed };
  // Begins, with the first address that does not refuse at once. Whoever is `waiting` watches
  // socket() and asks next() when it becomes writable.
  [[nodiscard]] State start();
  // A refusal goes on to the next address, with a new socket.
  [[nodiscard]] State next();

  [[nodiscard]] int socket() const { return socket_.get(); }
  [[nodiscard]] UniqueFd take() { return std::move(socket_); }
  // The address tried last, and why it is not connected (0: no answer yet).
  [[nodiscard]] std::string describe() const;

 private:
  [[nodiscard]] bool try_one(const SocketAddress& target);

  Targets::List targets_;
  const SocketAddress& from_;
  std::size_t tried_ = 0;
  UniqueFd socket_;
  int error_ = 0;
};

}  // namespace penstock::controlplane::pipe
