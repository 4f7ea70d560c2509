#include "penstock/base/address.hpp"

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(Address, texts_of_both_versions_come_back_unchanged) {
  for (const char* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1",
                           "2001:db8:0:1:1:1:1:1", "fe80::1:0:0:1"}) {
    const auto address = parse_ip(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_string(*address), text);
  }
}

TEST(Address, refuses_what_is_no_address) {
  for (const char* text : {"", " ", "192.0.2", "192.0.2.256", "192.0.2.1 ", "192.0.2.01",
                           ":::", "2001:db8::1::2", "fe80::1%eth0", "host.example", "1"}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
  EXPECT_FALSE(parse_ip(std::string_view{"192.0.2.1\0x", 11}));
}

TEST(Address, from_bytes_knows_the_version) {
  const auto v4 = parse_ip("198.51.100.7");
  const auto v6 = parse_ip("2001:db8::7");
  EXPECT_EQ(IpAddress::from(v4->view()), *v4);
  EXPECT_EQ(IpAddress::from(v6->view()), *v6);
  EXPECT_EQ(v4->view().size(), 4u);
  EXPECT_EQ(v6->view().size(), 16u);
}

TEST(Address, from_bytes_of_another_length_stops_the_process) {
  const std::array<std::byte, 5> five{};
  EXPECT_DEATH(static_cast<void>(IpAddress::from(five)), "4 or 16 bytes");
}

TEST(Prefix, contains_exactly_its_own) {
  const auto contains = [](const char* prefix, const char* address) {
    return parse_prefix(prefix)->contains(*parse_ip(address));
  };
  EXPECT_TRUE(contains("192.0.2.1/24", "192.0.2.254"));
  EXPECT_FALSE(contains("192.0.2.1/24", "192.0.3.1"));
  EXPECT_TRUE(contains("192.0.2.1/31", "192.0.2.0"));
  EXPECT_FALSE(contains("192.0.2.1/31", "192.0.2.2"));
  EXPECT_TRUE(contains("192.0.2.1/32", "192.0.2.1"));
  EXPECT_FALSE(contains("192.0.2.1/32", "192.0.2.0"));
  EXPECT_TRUE(contains("192.0.2.1/0", "8.8.8.8"));
  EXPECT_FALSE(contains("192.0.2.1/0", "2001:db8::1"));
  EXPECT_TRUE(contains("2001:db8::1/63", "2001:db8:0:1::2"));
  EXPECT_FALSE(contains("2001:db8::1/64", "2001:db8:0:1::2"));
}

TEST(Prefix, refuses_what_is_no_prefix) {
  for (const char* text :
       {"192.0.2.1", "192.0.2.1/", "192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/024", "/24",
        "2001:db8::1/129", "192.0.2.1/24/24", "192.0.2.1/ 24"}) {
    EXPECT_FALSE(parse_prefix(text)) << text;
  }
  EXPECT_EQ(to_string(*parse_prefix("2001:db8::1/64")), "2001:db8::1/64");
}

TEST(Endpoint, port_may_be_left_out) {
  EXPECT_EQ(to_string(*parse_endpoint("192.0.2.1", 7670)), "192.0.2.1:7670");
  EXPECT_EQ(to_string(*parse_endpoint("192.0.2.1:1", 7670)), "192.0.2.1:1");
  EXPECT_EQ(to_string(*parse_endpoint("2001:db8::1", 7670)), "[2001:db8::1]:7670");
  EXPECT_EQ(to_string(*parse_endpoint("[2001:db8::1]", 7670)), "[2001:db8::1]:7670");
  EXPECT_EQ(to_string(*parse_endpoint("[2001:db8::1]:65535", 7670)), "[2001:db8::1]:65535");
}

TEST(Endpoint, refuses_what_is_no_endpoint) {
  for (const char* text : {"", ":7670", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
                           "192.0.2.1:7x", "[192.0.2.1]:7", "[2001:db8::1", "[2001:db8::1]7670",
                           "[2001:db8::1]:", "[]:1", "[", "]", "example.org:7670"}) {
    EXPECT_FALSE(parse_endpoint(text, 7670)) << text;
  }
}

TEST(MacAddressText, is_colon_separated) {
  EXPECT_EQ(to_string(MacAddress{{std::byte{0x02}, std::byte{0}, std::byte{0xab}, std::byte{0xcd},
                                  std::byte{0xef}, std::byte{0x10}}}),
            "02:00:ab:cd:ef:10");
}

}  // namespace
}  // namespace penstock
