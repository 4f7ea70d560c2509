#include "path.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

namespace impair {
namespace {

using namespace std::chrono_literals;

PacketPtr numbered(std::uint32_t number, std::size_t size = 100) {
  auto packet = std::make_unique_for_overwrite<Packet>();
  packet->size = size;
  for (unsigned i = 0; i < 4; ++i)
    packet->bytes[20 + i] = static_cast<unsigned char>(number >> (8 * i));
  return packet;
}

std::uint32_t number_of(const Packet& packet) {
  std::uint32_t number = 0;
  for (unsigned i = 0; i < 4; ++i)
    number |= static_cast<std::uint32_t>(packet.bytes[20 + i]) << (8 * i);
  return number;
}

// Everything that is due, in order.
std::vector<std::uint32_t> take(Path& path, Time now) {
  std::vector<std::uint32_t> numbers;
  while (const auto packet = path.depart(now)) numbers.push_back(number_of(*packet));
  return numbers;
}

std::vector<std::uint32_t> cross(Path& path, std::uint32_t count, Time patience = 1h) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    path.arrive(numbered(i), Time{i});
    for (const auto number : take(path, Time{i})) out.push_back(number);
  }
  for (const auto number : take(path, patience)) out.push_back(number);
  return out;
}

std::vector<std::uint32_t> up_to(std::uint32_t count) {
  std::vector<std::uint32_t> numbers(count);
  for (std::uint32_t i = 0; i < count; ++i) numbers[i] = i;
  return numbers;
}

std::uint64_t accounted(const Path& path, std::size_t out) {
  const Tally& tally = path.tally();
  return tally.too_long + tally.lost + tally.queue_full + out + path.inside();
}

TEST(Path, a_good_path_passes_everything_in_order) {
  Path path{1};
  EXPECT_EQ(cross(path, 1000, Time{1000}), up_to(1000));
  EXPECT_EQ(path.tally().seen, 1000U);
  EXPECT_FALSE(path.next_due());
}

TEST(Path, loses_as_many_as_it_was_told) {
  for (const double loss : {0.001, 0.02, 0.2}) {
    Path path{7};
    path.set({.loss = loss});
    const auto out = cross(path, 30'000);
    const double lost = 30'000 * loss;
    EXPECT_NEAR(static_cast<double>(path.tally().lost), lost, 5 * std::sqrt(lost));
    EXPECT_TRUE(std::ranges::is_sorted(out));
    EXPECT_EQ(path.tally().seen, accounted(path, out.size()));
  }
}

TEST(Path, the_same_seed_loses_the_same_packets_and_another_seed_others) {
  const auto with_seed = [](std::uint64_t seed) {
    Path path{seed};
    path.set({.loss = 0.1, .duplicate = 0.1, .reorder = 0.1, .reorder_distance = 8});
    return cross(path, 1000);
  };
  EXPECT_EQ(with_seed(3), with_seed(3));
  EXPECT_NE(with_seed(3), with_seed(4));
}

TEST(Path, bursts_are_as_long_and_as_frequent_as_they_should_be) {
  Path path{5};
  path.set({.burst_enter = 0.01, .burst_leave = 0.1});  // 10 packets each
  const auto out = cross(path, 60'000);
  std::uint64_t bursts = 0;
  for (std::size_t i = 1; i < out.size(); ++i) bursts += out[i] != out[i - 1] + 1 ? 1U : 0U;
  const double mean = static_cast<double>(path.tally().lost) / static_cast<double>(bursts);
  EXPECT_NEAR(mean, 10, 2);
  EXPECT_NEAR(static_cast<double>(path.tally().lost), 60'000.0 / 11, 1000);
}

TEST(Path, a_copy_follows_its_packet) {
  Path path{2};
  path.set({.duplicate = 1});
  EXPECT_EQ(cross(path, 3), (std::vector<std::uint32_t>{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(path.tally().duplicated, 3U);
}

TEST(Path, no_packet_is_overtaken_by_more_than_the_distance) {
  for (const std::uint32_t distance : {1U, 8U, 64U}) {
    Path path{distance};
    path.set({.reorder = 0.2, .reorder_distance = distance, .reorder_wait = 1h});
    const auto out = cross(path, 5000, 2h);
    ASSERT_EQ(out.size(), 5000U);
    EXPECT_GT(path.tally().reordered, 700U);
    std::uint32_t worst = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto until = out.begin() + static_cast<std::ptrdiff_t>(i);
      const auto from = out.begin() + static_cast<std::ptrdiff_t>(i > 300 ? i - 300 : 0);
      const auto overtakers =
          std::count_if(from, until, [&](auto other) { return other > out[i]; });
      worst = std::max(worst, static_cast<std::uint32_t>(overtakers));
    }
    EXPECT_LE(worst, distance);
    EXPECT_GT(worst, distance / 2);
  }
}

TEST(Path, a_held_packet_goes_when_nothing_follows) {
  Path path{1};
  path.set({.reorder = 1, .reorder_distance = 64, .reorder_wait = 1ms});
  path.arrive(numbered(0), 5ms);
  EXPECT_EQ(path.depart(5ms), nullptr);
  EXPECT_EQ(path.next_due(), Time{6ms});
  EXPECT_EQ(path.inside(), 1U);
  EXPECT_EQ(take(path, 6ms), std::vector<std::uint32_t>{0});
}

TEST(Path, delay_keeps_the_order_and_jitter_does_not) {
  Path path{1};
  path.set({.delay = 10ms});
  for (std::uint32_t i = 0; i < 100; ++i) path.arrive(numbered(i), Time{i});
  EXPECT_EQ(path.depart(9ms), nullptr);
  EXPECT_EQ(path.next_due(), Time{10ms});
  EXPECT_EQ(take(path, 11ms), up_to(100));
  path.set({.delay = 10ms, .jitter = 1ms});
  for (std::uint32_t i = 0; i < 100; ++i) path.arrive(numbered(i), 1s);
  EXPECT_EQ(path.depart(1s + 9ms), nullptr);
  auto out = take(path, 1s + 11ms);
  EXPECT_FALSE(std::ranges::is_sorted(out));
  std::ranges::sort(out);
  EXPECT_EQ(out, up_to(100));
}

TEST(Path, what_is_longer_than_the_path_vanishes) {
  Path path{1};
  path.set({.mtu = 1400});
  path.arrive(numbered(0, 1414), 0ns);
  path.arrive(numbered(1, 1415), 0ns);
  EXPECT_EQ(take(path, 0ns), std::vector<std::uint32_t>{0});
  EXPECT_EQ(path.tally().too_long, 1U);
}

TEST(Path, a_bottleneck_sends_at_its_rate_and_drops_what_its_queue_cannot_hold) {
  Path path{1};
  path.set({.rate = 8'000'000, .queue = 5000});  // 1000 bytes take a millisecond
  for (std::uint32_t i = 0; i < 8; ++i) path.arrive(numbered(i, 1000), 0ns);
  EXPECT_EQ(path.tally().queue_full, 3U);
  for (std::uint32_t i = 0; i < 5; ++i) {
    EXPECT_EQ(path.next_due(), Time{(i + 1) * 1ms});
    EXPECT_EQ(take(path, (i + 1) * 1ms), std::vector<std::uint32_t>{i});
  }
  path.arrive(numbered(9, 1000), 20ms);  // what was not used is not saved up
  EXPECT_EQ(path.next_due(), Time{21ms});
}

TEST(Path, what_it_holds_is_bounded) {
  Path path{1};
  path.set({.delay = 1h});
  for (std::uint32_t i = 0; i < Path::max_inside + 5; ++i) path.arrive(numbered(i), 0ns);
  EXPECT_EQ(path.inside(), Path::max_inside);
  EXPECT_EQ(path.tally().queue_full, 5U);
}

TEST(Path, everything_at_once_is_accounted_for) {
  Path path{9};
  path.set({.loss = 0.05,
            .burst_enter = 0.01,
            .burst_leave = 0.2,
            .duplicate = 0.05,
            .reorder = 0.1,
            .reorder_distance = 64,
            .delay = 3ms,
            .jitter = 2ms,
            .mtu = 600,
            .mark = 0.5,
            .rate = 400'000'000,
            .queue = 20'000});
  std::map<std::uint32_t, int> out;
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    path.arrive(numbered(i, 100 + i % 600), i * 5us);
    for (const auto number : take(path, i * 5us)) ++out[number], ++count;
    EXPECT_EQ(path.tally().seen + path.tally().duplicated, accounted(path, count));
  }
  for (const auto number : take(path, 1h)) ++out[number];
  EXPECT_EQ(path.inside(), 0U);
  EXPECT_GT(path.tally().queue_full, 0U);
  EXPECT_TRUE(std::ranges::all_of(out, [](const auto& entry) { return entry.second <= 2; }));
}

}  // namespace
}  // namespace impair
