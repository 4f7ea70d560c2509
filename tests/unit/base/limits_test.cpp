// How long a key is good, against numbers worked out by hand: 2^35 / B frames until a rekey,
// 2^41 / B until the stop, with B blocks of 16 bytes in a frame and one more for GCM's tag.
#include "penstock/base/limits.hpp"

#include <gtest/gtest.h>

namespace penstock::limits {
namespace {

constexpr std::array ctr_suites{Protection::aes256_ctr_sha256, Protection::aes128_ctr_sha256,
                                Protection::aes256_ctr_sha384};

void expect_limits(Protection protection, std::size_t frame_size, std::uint64_t rekey,
                   std::uint64_t hard, std::uint64_t failed) {
  const SaLimits limits = sa_limits(protection, frame_size);
  EXPECT_EQ(limits.rekey_frames, rekey) << to_string(protection) << " " << frame_size;
  EXPECT_EQ(limits.hard_frames, hard) << to_string(protection) << " " << frame_size;
  EXPECT_EQ(limits.max_failed_opens, failed) << to_string(protection) << " " << frame_size;
}

TEST(SaLimits, of_aes_in_counter_mode) {
  constexpr std::uint64_t two_to_52 = 4'503'599'627'370'496;
  for (const Protection ctr : ctr_suites) {
    expect_limits(ctr, 256, 2'147'483'648, 137'438'953'472, two_to_52);  // B = 16
    expect_limits(ctr, 1472, 373'475'417, 23'902'426'690, two_to_52);    // B = 92
    expect_limits(ctr, 9000, 61'029'730, 3'905'902'762, two_to_52);      // B = 563, rounded up
  }
}

TEST(SaLimits, of_gcm_count_a_block_for_its_tag) {
  constexpr std::uint64_t two_to_52 = 4'503'599'627'370'496;
  expect_limits(Protection::aes256_gcm, 256, 2'021'161'080, 129'354'309'150, two_to_52);
  expect_limits(Protection::aes256_gcm, 1472, 369'459'552, 23'645'411'350, two_to_52);
  expect_limits(Protection::aes256_gcm, 9000, 60'921'521, 3'898'977'403, two_to_52);
}

TEST(SaLimits, of_chacha20_poly1305_are_forgeries_not_frames) {
  constexpr std::uint64_t two_to_36 = 68'719'476'736;
  constexpr std::uint64_t two_to_56 = 72'057'594'037'927'936;
  constexpr std::uint64_t two_to_62 = 4'611'686'018'427'387'904;
  for (const std::size_t size : {256, 1472, 9000}) {
    expect_limits(Protection::chacha20_poly1305, size, two_to_56, two_to_62, two_to_36);
  }
}

TEST(SaLimits, a_rekey_is_asked_for_long_before_the_stop) {
  for (const ProtectionTraits& row : protections) {
    for (std::size_t size = min_frame_size; size <= max_frame_size; ++size) {
      const SaLimits limits = sa_limits(row.protection, size);
      ASSERT_GT(limits.rekey_frames, 0u) << row.name << " " << size;
      ASSERT_LE(limits.rekey_frames, limits.hard_frames / 64) << row.name << " " << size;
      ASSERT_LT(limits.hard_frames, ~std::uint64_t{0} / 2) << row.name << " " << size;
      ASSERT_GT(limits.max_failed_opens, 0u) << row.name << " " << size;
    }
  }
}

}  // namespace
}  // namespace penstock::limits
