// What the data plane has not read yet, in order. Many links that start at once say more than a
// socket holds; one that never reads is given up all the same.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <variant>
#include <vector>

#include "penstock/base/limits.hpp"
#include "penstock/ipc/channel.hpp"
#include "penstock/keys/secret.hpp"

namespace penstock::controlplane {

class Outbox {
 public:
  // Several messages of every link.
  static constexpr std::size_t max_waiting = std::size_t{8} * limits::max_links;

  // Sends it, or keeps a copy behind what waits already. `gone`: too much waits, or the other end
  // left.
  template <ipc::Message M>
  [[nodiscard]] ipc::SendStatus send(ipc::Channel& channel, const M& message) {
    constexpr bool has_keys = M::type == ipc::MessageType::install_session;
    if (waiting_.empty()) {
      const ipc::SendStatus status = channel.try_send(message);
      if (status != ipc::SendStatus::later) return status;
    }
    return keep(std::as_bytes(std::span{&message, 1}), has_keys);
  }

  // Sends what it can: `sent` when nothing waits any more.
  [[nodiscard]] ipc::SendStatus flush(ipc::Channel& channel);

  [[nodiscard]] bool is_empty() const { return waiting_.empty(); }
  void clear() { waiting_.clear(); }

 private:
  using Waiting = std::variant<std::vector<std::byte>, SecretBuffer>;

  [[nodiscard]] ipc::SendStatus keep(Bytes message, bool has_keys);

  std::deque<Waiting> waiting_;
};

}  // namespace penstock::controlplane
