#include "dataplane/control/controller_line.hpp"

namespace penstock::dataplane {

using ipc::SendStatus;

bool ControllerLine::send_bytes(Bytes message) {
  const SendStatus status = waiting_.empty() ? channel_.try_send_bytes(message) : SendStatus::later;
  if (status != SendStatus::later) return status == SendStatus::sent;
  if (waiting_bytes_ + message.size() > most_waiting) return false;
  waiting_.emplace_back(message.begin(), message.end());
  waiting_bytes_ += message.size();
  return true;
}

bool ControllerLine::flush() {
  while (!waiting_.empty()) {
    const SendStatus status = channel_.try_send_bytes(waiting_.front());
    if (status != SendStatus::sent) return status == SendStatus::later;
    waiting_bytes_ -= waiting_.front().size();
    waiting_.pop_front();
  }
  return true;
}

}  // namespace penstock::dataplane
