#include "dataplane/session/expected_peers.hpp"

#include <gtest/gtest.h>

namespace penstock::dataplane {
namespace {

Endpoint v4(unsigned number, std::uint16_t port = 7670) {
  return {.address = *parse_ip("10.1." + std::to_string(number / 256) + "." +
                               std::to_string(number % 256)),
          .port = port};
}

TEST(ExpectedPeers, KnowsThoseThatItWasToldAndNoOthers) {
  ExpectedPeers expected;
  EXPECT_FALSE(expected.contains(v4(1)));
  expected.set({v4(1), v4(2), v4(2)});
  EXPECT_TRUE(expected.contains(v4(1)));
  EXPECT_TRUE(expected.contains(v4(2)));
  EXPECT_FALSE(expected.contains(v4(3)));
  EXPECT_FALSE(expected.contains(v4(1, 7671))) << "another port is somebody else";
}

TEST(ExpectedPeers, ForgetsThoseThatAreGone) {
  ExpectedPeers expected;
  expected.set({v4(1), v4(2)});
  expected.set({v4(2), v4(3)});
  EXPECT_FALSE(expected.contains(v4(1)));
  EXPECT_TRUE(expected.contains(v4(2)));
  EXPECT_TRUE(expected.contains(v4(3)));
  expected.set({});
  EXPECT_FALSE(expected.contains(v4(2)));
}

TEST(ExpectedPeers, TellsVersionsApart) {
  ExpectedPeers expected;
  const Endpoint v6{.address = *parse_ip("2001:db8::1"), .port = 7670};
  expected.set({v6});
  EXPECT_TRUE(expected.contains(v6));
  EXPECT_FALSE(expected.contains({.address = *parse_ip("32.1.13.184"), .port = 7670}));
}

TEST(ExpectedPeers, HasRoomForEveryLinkAndItsSession) {
  ExpectedPeers expected;
  std::vector<Endpoint> all;
  for (unsigned number = 0; number < 2 * limits::max_links; ++number) all.push_back(v4(number));
  expected.set(all);
  for (const Endpoint& peer : all) EXPECT_TRUE(expected.contains(peer));
  for (unsigned number = 0; number < 2 * limits::max_links; ++number)
    EXPECT_FALSE(expected.contains(v4(number, 1)));
}

}  // namespace
}  // namespace penstock::dataplane
