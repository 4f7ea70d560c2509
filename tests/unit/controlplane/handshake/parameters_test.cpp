#include "controlplane/handshake/parameters.hpp"

#include <gtest/gtest.h>

namespace penstock::controlplane {
namespace {

constexpr auto protection = Protection::aes256_ctr_sha256;

Parameters good() { return {.spi_base = Spi::make(9, 3, 0), .frame_size = 1472, .lanes = 4}; }

TEST(Parameters, SurviveTheWire) {
  const Parameters sent{.reason = Refusal::tag,
                        .flags = 1,
                        .tag = 20,
                        .min_tag = 13,
                        .spi_base = Spi::make(0xabc, 0x123, 0),
                        .frame_size = 0x1234,
                        .lanes = 0x0506,
                        .shaping = 7,
                        .identity = std::nullopt};
  EXPECT_EQ(read_parameters(write_parameters(sent)), sent);
  Parameters with_identity = sent;
  with_identity.identity.emplace();
  with_identity.identity->key.bytes.fill(std::byte{0xab});
  with_identity.identity->signature.fill(std::byte{0xcd});
  const ParameterBytes bytes = write_parameters(with_identity);
  EXPECT_EQ(read_parameters(bytes), with_identity);
  EXPECT_EQ(bytes[1], std::byte{0x81});
  EXPECT_EQ(bytes[16], std::byte{0xab});
  EXPECT_EQ(bytes[47], std::byte{0xab});
  EXPECT_EQ(bytes[48], std::byte{0xcd});
  EXPECT_EQ(bytes[111], std::byte{0xcd});
  EXPECT_EQ(bytes[112], std::byte{0});
}

TEST(Parameters, TheSmallerFrameAndTagAreTaken) {
  Parameters small = good();
  small.frame_size = 600;
  Parameters long_tag = good();
  long_tag.tag = 32;
  const FrameShape expected{.size = 600, .tag = 16};
  EXPECT_EQ(agree(small, long_tag, protection), expected);
  EXPECT_EQ(agree(long_tag, small, protection), expected);
}

TEST(Parameters, EitherSidesMinTagHolds) {
  Parameters strict = good();
  strict.tag = strict.min_tag = 20;
  EXPECT_EQ(agree(strict, good(), protection).error(), Refusal::tag);
  EXPECT_EQ(agree(good(), strict, protection).error(), Refusal::tag);
}

TEST(Parameters, OutOfRangeIsRefusedFromEitherSide) {
  const auto refused = [](auto change) {
    Parameters bad = good();
    change(bad);
    return agree(bad, good(), protection) == std::unexpected{Refusal::parameters} &&
           agree(good(), bad, protection) == std::unexpected{Refusal::parameters};
  };
  EXPECT_TRUE(refused([](Parameters& p) { p.flags = 0x02; }));
  EXPECT_TRUE(refused([](Parameters& p) { p.tag = 33; }));
  EXPECT_TRUE(refused([](Parameters& p) { p.min_tag = 17; }));
  EXPECT_TRUE(refused([](Parameters& p) { p.min_tag = 11; }));
  EXPECT_TRUE(refused([](Parameters& p) { p.spi_base = Spi{0}; }));
  EXPECT_TRUE(refused([](Parameters& p) { p.spi_base = Spi::make(1, 1, 1); }));
  EXPECT_TRUE(refused([](Parameters& p) { p.frame_size = 255; }));
  EXPECT_TRUE(refused([](Parameters& p) { p.frame_size = 9001; }));
  EXPECT_TRUE(refused([](Parameters& p) { p.lanes = 0; }));
  EXPECT_TRUE(refused([](Parameters& p) { p.lanes = 65; }));
}

TEST(Parameters, EachProtectionHasItsTags) {
  for (const ProtectionTraits& row : protections) {
    const auto with = [&](unsigned tag, unsigned min_tag) {
      Parameters both = good();
      both.tag = static_cast<std::uint8_t>(tag);
      both.min_tag = static_cast<std::uint8_t>(min_tag);
      return agree(both, both, row.protection);
    };
    for (unsigned tag = 0; tag <= 255; ++tag) {
      const bool is_its = tag >= row.min_tag && tag <= row.max_tag;
      ASSERT_EQ(with(tag, tag).has_value(), is_its) << row.name << " " << tag;
      if (is_its) {
        EXPECT_EQ(with(tag, row.min_tag)->tag, tag) << row.name;
      }
    }
    EXPECT_FALSE(with(row.max_tag, row.max_tag + 1u)) << row.name;
    if (row.min_tag > 0) {
      EXPECT_FALSE(with(row.max_tag, row.min_tag - 1u)) << row.name;
    }
  }
}

TEST(Parameters, AreFittedToTheSuite) {
  for (const ProtectionTraits& row : protections) {
    Parameters wanted = good();
    wanted.tag = 48;
    wanted.min_tag = 12;
    const Parameters said = fitted(wanted, row.protection);
    EXPECT_EQ(said.tag, row.max_tag) << row.name;
    EXPECT_EQ(said.min_tag, row.min_tag) << row.name;
    EXPECT_TRUE(agree(said, said, row.protection)) << row.name;
    wanted.tag = said.tag;
    wanted.min_tag = said.min_tag;
    EXPECT_EQ(said, wanted) << "nothing else changes";
  }
}

// The config refuses such a list; should it come here all the same, min_tag is not lowered.
TEST(Parameters, AMinTagThatTheSuiteCannotHaveMakesNoSession) {
  for (const ProtectionTraits& row : protections) {
    if (row.protection == Protection::none) continue;  // has no tag at all
    Parameters strict = good();
    strict.tag = strict.min_tag = static_cast<std::uint8_t>(row.max_tag + 1);
    const Parameters said = fitted(strict, row.protection);
    EXPECT_EQ(agree(said, fitted(good(), row.protection), row.protection).error(),
              Refusal::parameters)
        << row.name;
  }
}

TEST(Parameters, AnotherShapingIsRefusedByName) {
  Parameters shaped = good();
  shaped.shaping = 1;
  EXPECT_EQ(agree(good(), shaped, protection).error(), Refusal::shaping);
}

}  // namespace
}  // namespace penstock::controlplane
