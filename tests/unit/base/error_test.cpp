#include "penstock/base/error.hpp"

#include <cerrno>

#include <gtest/gtest.h>

#include "penstock/base/check.hpp"

namespace penstock {
namespace {

TEST(Error, errno_becomes_a_sentence_and_a_kind) {
  EXPECT_EQ(fail_errno("cannot open /x", ENOENT).error().message,
            "cannot open /x: No such file or directory");
  for (const int number : {EPERM, EACCES}) {
    EXPECT_EQ(fail_errno("x", number).error().kind, ErrorKind::permission);
  }
  for (const int number : {ENOENT, ENODEV, ENXIO}) {
    EXPECT_EQ(fail_errno("x", number).error().kind, ErrorKind::missing);
  }
  for (const int number : {EBUSY, EADDRINUSE}) {
    EXPECT_EQ(fail_errno("x", number).error().kind, ErrorKind::busy);
  }
  EXPECT_EQ(fail_errno("x", EIO).error().kind, ErrorKind::system);
}

TEST(Error, a_number_nobody_knows_is_shown) {
  EXPECT_EQ(fail_errno("x", 99999).error().message, "x: error 99999");
}

TEST(Check, passes_what_holds_and_stops_what_does_not) {
  check(true, "never seen");
  EXPECT_DEATH(check(false, "two is three"), "error_test.cpp.*check failed: two is three");
}

}  // namespace
}  // namespace penstock
