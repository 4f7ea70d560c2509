#include "penstock/ipc/messages.hpp"

#include <gtest/gtest.h>

namespace penstock::ipc {
namespace {

TEST(WireEndpoint, endpoints_of_both_versions_come_back) {
  for (const char* text : {"192.0.2.1:7670", "[2001:db8::1]:1", "0.0.0.0:65535"}) {
    const auto endpoint = parse_endpoint(text, 1);
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(from_wire(to_wire(*endpoint)), *endpoint) << text;
  }
}

TEST(WireEndpoint, bytes_behind_a_version_4_address_do_not_count) {
  WireEndpoint wire = to_wire(*parse_endpoint("192.0.2.1:7670", 1));
  wire.address.back() = std::byte{1};
  EXPECT_EQ(from_wire(wire), *parse_endpoint("192.0.2.1:7670", 1));
}

TEST(Messages, every_type_has_its_own_number) {
  EXPECT_EQ(Hello{}.header.type, MessageType::hello);
  EXPECT_EQ(Stats{}.header.type, MessageType::stats);
  EXPECT_EQ(static_cast<int>(MessageType::stats), 14);
}

}  // namespace
}  // namespace penstock::ipc
