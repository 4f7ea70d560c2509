// Both ways through two data planes with every protection, and many at once.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/packets.hpp"
#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using test::make_packet;
using test::TestPair;

ipc::InstallSession session_of(Protection protection, std::uint8_t tag, std::uint32_t number = 1) {
  ipc::InstallSession session = test::make_session(number);
  session.suite = Suite{KeyExchange::x25519, protection}.code();
  session.tag = fit_tag(protection, tag);
  return session;
}

class EveryProtection : public testing::TestWithParam<Protection> {};

INSTANTIATE_TEST_SUITE_P(DataPlane, EveryProtection,
                         testing::Values(Protection::aes256_ctr_sha256,
                                         Protection::aes128_ctr_sha256,
                                         Protection::aes256_ctr_sha384, Protection::aes256_gcm,
                                         Protection::chacha20_poly1305, Protection::none),
                         [](const auto& test) {
                           std::string name{to_string(test.param)};
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(EveryProtection, CarriesPacketsOfAllLengthsBothWays) {
  for (const std::uint8_t tag : {std::uint8_t{12}, std::uint8_t{16}, std::uint8_t{48}}) {
    TestPair pair{{.lab = true}};
    pair.connect(session_of(GetParam(), tag));
    std::vector<std::vector<std::byte>> packets;
    for (std::size_t length = 60; length <= 1514; length += 97)
      packets.push_back(make_packet(length));
    for (const auto& packet : packets) {
      pair.a.plain.incoming.push_back({.bytes = packet});
      pair.b.plain.incoming.push_back({.bytes = packet});
    }
    pair.run();
    for (const auto* arrived : {&pair.a.plain.sent, &pair.b.plain.sent}) {
      ASSERT_EQ(arrived->size(), packets.size());
      for (std::size_t i = 0; i < packets.size(); ++i) EXPECT_EQ((*arrived)[i].bytes, packets[i]);
    }
    EXPECT_EQ(pair.b.count()[DropReason::bad_tag], 0u);
    expect_balanced(pair);
  }
}

TEST_P(EveryProtection, ReplacesEveryOtherWithoutLoss) {
  TestPair pair{{.lab = true}};
  pair.connect(session_of(GetParam(), 16));
  std::uint32_t number = 2;
  std::size_t sent = 0;
  for (const ProtectionTraits& next : protections) {
    for (int i = 0; i < 40; ++i, ++sent)
      pair.a.plain.incoming.push_back({.bytes = make_packet(900)});
    pair.connect(session_of(next.protection, 16, number++));
  }
  EXPECT_EQ(pair.b.plain.sent.size(), sent);
  expect_balanced(pair);
}

TEST(Protections, NothingIsSentInTheClearOutsideALab) {
  TestPair pair;
  EXPECT_EQ(pair.a.directory->install(session_of(Protection::none, 0), pair.now).error(),
            ipc::InstallResult::bad_parameters);
}

}  // namespace
}  // namespace penstock::dataplane
