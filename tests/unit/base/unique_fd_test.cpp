#include "penstock/base/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "penstock/base/clock.hpp"

namespace penstock {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(UniqueFd, closes_when_it_dies) {
  int number = -1;
  {
    const UniqueFd fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    number = fd.get();
    ASSERT_TRUE(fd);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, moving_hands_it_over) {
  UniqueFd first{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  UniqueFd second{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const int kept = first.get();
  const int closed = second.get();
  second = std::move(first);
  EXPECT_EQ(second.get(), kept);
  EXPECT_FALSE(is_open(closed));
  const int released = second.release();
  EXPECT_FALSE(second);
  EXPECT_TRUE(is_open(released));
  ::close(released);
}

TEST(Clock, never_goes_backwards) {
  const Time before = monotonic_now();
  EXPECT_LE(before, monotonic_now());
}

}  // namespace
}  // namespace penstock
