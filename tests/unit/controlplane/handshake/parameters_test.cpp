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
                        .shaping = 7};
  EXPECT_EQ(read_parameters(write_parameters(sent)), sent);
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

TEST(Parameters, IdentityAndShapingAreRefusedByName) {
  Parameters identity = good();
  identity.flags = Parameters::identity_flag;
  EXPECT_EQ(agree(good(), identity, protection).error(), Refusal::identity);
  Parameters shaped = good();
  shaped.shaping = 1;
  EXPECT_EQ(agree(good(), shaped, protection).error(), Refusal::shaping);
}

}  // namespace
}  // namespace penstock::controlplane
