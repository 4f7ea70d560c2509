#include "controlplane/pipe/targets.hpp"

#include <gtest/gtest.h>

namespace penstock::controlplane::pipe {
namespace {

std::string address(std::string_view text) {
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) return endpoint.error().message;
  const auto* const found = std::get_if<SocketAddress>(&*endpoint);
  return found != nullptr ? to_string(*found) : "a name";
}

std::string bind_address(std::string_view text) {
  const auto endpoint = parse_bind_address(text);
  if (!endpoint) return endpoint.error().message;
  if (const auto* const name = std::get_if<HostName>(&*endpoint))
    return name->host + " " + name->service;
  return to_string(std::get<SocketAddress>(*endpoint));
}

TEST(PipeEndpoint, AddressesAreTakenAsTheyAreWritten) {
  for (const char* text : {"[192.0.2.1]:80", "[2001:db8::1]:65535", "/run/socket"})
    EXPECT_EQ(address(text), text);
  EXPECT_EQ(address("[2001:db8:0::1]:080"), "[2001:db8::1]:80");
}

TEST(PipeEndpoint, AllElseBeforeTheLastColonIsAName) {
  for (const auto& [text, host, service] : {std::tuple{"host.example:http", "host.example", "http"},
                                            {"127.0.0.1:80", "127.0.0.1", "80"},
                                            {"::1:80", "::1", "80"},
                                            {":80", "", "80"},
                                            {"host:", "host", ""}}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    ASSERT_TRUE(std::holds_alternative<HostName>(*endpoint)) << text;
    EXPECT_EQ(std::get<HostName>(*endpoint).host, host);
    EXPECT_EQ(std::get<HostName>(*endpoint).service, service);
  }
}

TEST(PipeEndpoint, WhatIsNoneIsRefusedWithASentence) {
  for (const char* text : {"", "host", "[192.0.2.1]", "[192.0.2.1]:0", "[192.0.2.1]:65536",
                           "[192.0.2.1]:80x", "[192.0.2.1]:", "[192.0.2]:80", "[192.0.2.1:80",
                           "[]:80", "[:80", "[host]:80", "[::1]x:80"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_NE(endpoint.error().message, "");
  }
  const std::string longest = "/" + std::string(106, 'x');
  EXPECT_EQ(address(longest), longest);
  EXPECT_NE(address(longest + "x").find("too long"), std::string::npos);
}

TEST(PipeEndpoint, WhatIsConnectedFromMayLackItsPort) {
  EXPECT_EQ(bind_address("[192.0.2.1]"), "[192.0.2.1]:0");
  EXPECT_EQ(bind_address("[2001:db8::1]"), "[2001:db8::1]:0");
  EXPECT_EQ(bind_address("2001:db8::1"), "[2001:db8::1]:0");
  EXPECT_EQ(bind_address("192.0.2.1"), "192.0.2.1 0");
  EXPECT_EQ(bind_address("host:7"), "host 7");
  EXPECT_EQ(bind_address("[192.0.2.1]:7"), "[192.0.2.1]:7");
  EXPECT_EQ(bind_address("[192.0.2.1]:0"), "[192.0.2.1]:0");
  EXPECT_EQ(bind_address("/run/socket"), "/run/socket");
}

TEST(PipeEndpoint, ANameHasIpAddressesAlone) {
  sockaddr_storage address{};
  for (const int family : {AF_INET, AF_INET6}) {
    address.ss_family = static_cast<sa_family_t>(family);
    ASSERT_TRUE(socket_address(address));
    EXPECT_EQ(socket_address(address)->family(), family);
  }
  for (const int family : {AF_UNIX, AF_UNSPEC, AF_VSOCK}) {
    address.ss_family = static_cast<sa_family_t>(family);
    EXPECT_FALSE(socket_address(address)) << family;
  }
}

TEST(PipeEndpoint, FiguresNeedNobodyToLookThemUp) {
  const auto found = numeric_addresses({"127.0.0.1", "80"});
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(to_string(found.front()), "[127.0.0.1]:80");
  EXPECT_EQ(to_string(numeric_addresses({"::1", "8"}).front()), "[::1]:8");
  EXPECT_TRUE(numeric_addresses({"localhost", "80"}).empty());
  EXPECT_TRUE(numeric_addresses({"", "80"}).empty() ||
              to_string(numeric_addresses({"", "80"}).front()) == "[::1]:80");
}

}  // namespace
}  // namespace penstock::controlplane::pipe
