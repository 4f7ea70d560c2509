#include "controlplane/pipe/resolver.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace penstock::controlplane::pipe {
namespace {

using namespace std::chrono_literals;

TEST(PipeResolver, GivesAnAddressBack) {
  Resolver resolver;
  const auto found = resolver.look_up(*parse_endpoint("[192.0.2.1]:80"));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1);
  EXPECT_EQ(to_string(found->front()), "[192.0.2.1]:80");
}

TEST(PipeResolver, FindsTheAddressesOfAName) {
  Resolver resolver;
  const auto found = resolver.look_up(*parse_endpoint("localhost:80"));
  ASSERT_TRUE(found) << found.error().message;
  const auto is_loopback = [](const SocketAddress& address) {
    const std::string text = to_string(address);
    return text == "[127.0.0.1]:80" || text == "[::1]:80";
  };
  EXPECT_TRUE(std::ranges::all_of(*found, is_loopback));
  EXPECT_FALSE(resolver.look_up(*parse_endpoint("localhost:nosuchservice")));
  EXPECT_TRUE(resolver.look_up(*parse_endpoint("localhost:http"))) << "the child goes on";
}

TEST(PipeResolver, ReplacesTheListEverySoOften) {
  Targets targets;
  targets.replace({});
  {
    Resolver resolver;
    ASSERT_TRUE(resolver.look_up(*parse_endpoint("localhost:80")));
    resolver.keep_fresh({"localhost", "80"}, 1ms, targets);
    while (targets.get()->empty()) std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(to_string(targets.get()->front()).find(":80") != std::string::npos, true);
}

TEST(PipeResolver, KeepsTheLastListWhenALookupFails) {
  Targets targets;
  const auto before = socket_address({.ss_family = AF_INET, .__ss_padding = {}, .__ss_align = 0});
  targets.replace({*before});
  {
    Resolver resolver;
    ASSERT_TRUE(resolver.look_up(*parse_endpoint("localhost:80")));
    resolver.keep_fresh({"localhost", "nosuchservice"}, 1ms, targets);
    std::this_thread::sleep_for(50ms);
  }
  ASSERT_EQ(targets.get()->size(), 1);
  EXPECT_EQ(to_string(targets.get()->front()), to_string(*before));
}

}  // namespace
}  // namespace penstock::controlplane::pipe
