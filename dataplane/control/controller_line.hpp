// The line to one controller. What it must not miss (replies, events) waits for it when it reads
// slowly; what it may (handshake messages, which are sent again) is refused meanwhile, so that a
// slow controller loses those and not its connection.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "penstock/base/bytes.hpp"
#include "penstock/ipc/channel.hpp"

namespace penstock::dataplane {

class ControllerLine {
 public:
  // Bytes that may wait: a list of every session of every link fits several times.
  static constexpr std::size_t most_waiting = std::size_t{4} << 20;

  explicit ControllerLine(ipc::Channel channel) : channel_(std::move(channel)) {}

  [[nodiscard]] int fd() const { return channel_.fd(); }
  [[nodiscard]] ipc::ReceiveStatus receive() { return channel_.receive(); }
  [[nodiscard]] ipc::Received received() const { return channel_.received(); }
  void wipe_received() { channel_.wipe_received(); }

  // In order, now or when the controller reads. False: it is gone, or too much waits already.
  template <ipc::Message M>
  [[nodiscard]] bool send(const M& message) {
    return send_bytes(std::as_bytes(std::span{&message, 1}));
  }
  // Now or not at all. `later`: it reads too slowly.
  template <ipc::Message M>
  [[nodiscard]] ipc::SendStatus offer(const M& message) {
    return waiting_.empty() ? channel_.try_send(message) : ipc::SendStatus::later;
  }
  // When fd() can be written. False: the controller is gone.
  [[nodiscard]] bool flush();
  [[nodiscard]] bool is_waiting() const { return !waiting_.empty(); }

 private:
  [[nodiscard]] bool send_bytes(Bytes message);

  ipc::Channel channel_;
  std::deque<std::vector<std::byte>> waiting_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace penstock::dataplane
