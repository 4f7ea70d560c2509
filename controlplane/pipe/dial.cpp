#include "controlplane/pipe/dial.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace penstock::controlplane::pipe {

Dial::State Dial::start() {
  while (tried_ < targets_->size()) {
    if (try_one((*targets_)[tried_++])) return error_ == 0 ? State::connected : State::waiting;
    socket_.reset();
  }
  return State::failed;
}

bool Dial::try_one(const SocketAddress& target) {
  error_ = 0;
  socket_.reset(::socket(target.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_ || (from_.size > 0 && ::bind(socket_.get(), from_.get(), from_.size) != 0)) {
    error_ = errno;
    return false;
  }
  if (::connect(socket_.get(), target.get(), target.size) != 0) error_ = errno;
  return error_ == 0 || error_ == EINPROGRESS || error_ == EINTR;
}

Dial::State Dial::next() {
  pollfd one{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
  if (::poll(&one, 1, 0) == 0) return State::waiting;  // the event of another moment
  socklen_t size = sizeof error_;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error_, &size) != 0) error_ = errno;
  if (error_ == 0) return State::connected;
  socket_.reset();
  return start();
}

std::string Dial::describe() const {
  if (tried_ == 0) return "there is none";
  const bool is_open = error_ == 0 || error_ == EINPROGRESS || error_ == EINTR;
  return to_string((*targets_)[tried_ - 1]) + ": " +
         (is_open ? "no answer" : ::strerrordesc_np(error_));
}

}  // namespace penstock::controlplane::pipe
