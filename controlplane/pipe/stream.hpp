// The two ends of a byte stream that the loop watches: a Source is read, a Sink written, neither
// ever waits. Readiness is remembered between the loop's events, which come once per change.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "penstock/base/bytes.hpp"

namespace penstock::controlplane::pipe {

// What a call moved, or why it moved nothing.
struct Moved {
  enum class Why : std::uint8_t {
    some,     // `bytes`, at least 1
    blocked,  // nothing now: the loop will say when
    closed,   // a source's end
    broken,   // an error; errno says which
  };
  Why why;
  std::size_t bytes = 0;
};

class Source {
 public:
  Source() = default;
  // `drains_short`: less than was asked for means that it is empty now, so that nobody asks
  // again. True of sockets; not of terminals, which give a line at a time.
  Source(int fd, bool drains_short) : fd_(fd), drains_short_(drains_short) {}

  [[nodiscard]] Moved read(MutableBytes into);
  [[nodiscard]] Moved read(std::span<const iovec> into, std::size_t size);

  [[nodiscard]] bool is_ready() const { return is_ready_; }
  // The loop's: there is something to read, and whether nothing can follow it.
  void ready(bool is_last) {
    is_ready_ = true;
    is_last_ = is_last_ || is_last;
  }

 private:
  [[nodiscard]] Moved judge(ssize_t got, std::size_t asked);

  int fd_ = -1;
  bool drains_short_ = true;
  bool is_ready_ = false;
  bool is_last_ = false;  // an end or an error stands behind what is there: read until it shows
};

class Sink {
 public:
  Sink() = default;
  explicit Sink(int fd) : fd_(fd) {}

  [[nodiscard]] Moved write(Bytes bytes);
  [[nodiscard]] Moved write(std::span<const iovec> bytes, std::size_t size);
  // Passes the end of the stream on, where the kind of file knows that.
  void close_way() const;

  [[nodiscard]] bool is_ready() const { return is_ready_; }
  void ready() { is_ready_ = true; }
  // The loop cannot watch it, as a regular file: it takes all, or is broken.
  void never_waits() { never_waits_ = true; }

 private:
  [[nodiscard]] Moved judge(ssize_t put, std::size_t asked);

  int fd_ = -1;
  bool is_ready_ = true;  // it is tried before the loop says so: nearly always it is
  bool never_waits_ = false;
};

}  // namespace penstock::controlplane::pipe
