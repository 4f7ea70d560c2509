#include "controlplane/shell/outbox.hpp"

#include <algorithm>
#include <utility>

namespace penstock::controlplane {
namespace {

Bytes bytes_of(const std::variant<std::vector<std::byte>, SecretBuffer>& message) {
  const auto* const keys = std::get_if<SecretBuffer>(&message);
  return keys != nullptr ? keys->reveal() : Bytes{std::get<0>(message)};
}

}  // namespace

ipc::SendStatus Outbox::keep(Bytes message, bool has_keys) {
  if (waiting_.size() == max_waiting) return ipc::SendStatus::gone;
  if (has_keys) {
    SecretBuffer copy{message.size()};
    std::ranges::copy(message, copy.fill().begin());
    waiting_.emplace_back(std::move(copy));
  } else {
    waiting_.emplace_back(std::vector<std::byte>{message.begin(), message.end()});
  }
  return ipc::SendStatus::later;
}

ipc::SendStatus Outbox::flush(ipc::Channel& channel) {
  while (!waiting_.empty()) {
    const ipc::SendStatus status = channel.try_send_bytes(bytes_of(waiting_.front()));
    if (status != ipc::SendStatus::sent) return status;
    waiting_.pop_front();
  }
  return ipc::SendStatus::sent;
}

}  // namespace penstock::controlplane
