// Wakes a thread that sleeps on a descriptor (eventfd).
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "penstock/base/check.hpp"
#include "penstock/base/unique_fd.hpp"

namespace penstock::dataplane {

class Wake {
 public:
  Wake() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { check(fd_.get() >= 0, "an eventfd"); }

  [[nodiscard]] int fd() const { return fd_.get(); }
  // Any thread.
  void signal() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(fd_.get(), &one, sizeof one);
  }
  // The sleeper, when fd() was readable.
  void clear() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(fd_.get(), &count, sizeof count);
  }

 private:
  UniqueFd fd_;
};

}  // namespace penstock::dataplane
