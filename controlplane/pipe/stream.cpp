#include "controlplane/pipe/stream.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace penstock::controlplane::pipe {
namespace {

// A call that a signal cut short before it moved anything is made again.
template <class Call>
ssize_t uninterrupted(Call call) {
  ssize_t moved = 0;
  do {
    moved = call();
  } while (moved < 0 && errno == EINTR);
  return moved;
}

}  // namespace

Moved Source::read(MutableBytes into) {
  return judge(uninterrupted([&] { return ::read(fd_, into.data(), into.size()); }), into.size());
}

Moved Source::read(std::span<const iovec> into, std::size_t size) {
  const int count = static_cast<int>(into.size());
  return judge(uninterrupted([&] { return ::readv(fd_, into.data(), count); }), size);
}

Moved Source::judge(ssize_t got, std::size_t asked) {
  if (got > 0) {
    const auto bytes = static_cast<std::size_t>(got);
    if (bytes < asked && drains_short_ && !is_last_) is_ready_ = false;
    return {Moved::Why::some, bytes};
  }
  if (got == 0) return {Moved::Why::closed};
  if (errno != EAGAIN) return {Moved::Why::broken};
  is_ready_ = false;
  return {Moved::Why::blocked};
}

Moved Sink::write(Bytes bytes) {
  return judge(uninterrupted([&] { return ::write(fd_, bytes.data(), bytes.size()); }),
               bytes.size());
}

Moved Sink::write(std::span<const iovec> bytes, std::size_t size) {
  const int count = static_cast<int>(bytes.size());
  return judge(uninterrupted([&] { return ::writev(fd_, bytes.data(), count); }), size);
}

Moved Sink::judge(ssize_t put, std::size_t asked) {
  if (put >= 0) {
    const auto bytes = static_cast<std::size_t>(put);
    if (bytes < asked) is_ready_ = never_waits_;
    return {Moved::Why::some, bytes};
  }
  if (errno != EAGAIN) return {Moved::Why::broken};
  is_ready_ = false;
  return {Moved::Why::blocked};
}

void Sink::close_way() const {
  ::shutdown(fd_, SHUT_WR);  // ENOTSOCK: a pipe or terminal ends with the process
}

}  // namespace penstock::controlplane::pipe
