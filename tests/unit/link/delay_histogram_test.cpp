#include "penstock/link/delay_histogram.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;

TEST(DelayHistogram, SaysNothingOfNothing) {
  DelayHistogram histogram;
  EXPECT_EQ(histogram.percentiles(1s).p50, 0ns);
  EXPECT_EQ(histogram.percentiles(1s).p99, 0ns);
}

void expect_near_above(Time found, Time exact) {
  EXPECT_GE(found, exact);
  EXPECT_LE(found, exact + exact / 16 + 1025ns) << exact.count();
}

TEST(DelayHistogram, KnowsEveryValueToASixteenth) {
  for (Time value = 1ns; value < 130s; value += value / 7 + 1ns) {
    DelayHistogram histogram;
    histogram.record(value, 1s);
    expect_near_above(histogram.percentiles(1s).p50, value);
    expect_near_above(histogram.percentiles(1s).p99, value);
  }
}

TEST(DelayHistogram, NegativeAndEndlessValuesCount) {
  DelayHistogram histogram;
  histogram.record(-5ms, 1s);
  EXPECT_EQ(histogram.percentiles(1s).p99, 1024ns);
  histogram.record(Time::max(), 1s);
  EXPECT_GT(histogram.percentiles(1s).p99, 130s);
}

TEST(DelayHistogram, PercentilesAreThoseOfASortedRow) {
  std::mt19937 dice{3};
  std::lognormal_distribution<double> delay{14, 1.5};
  DelayHistogram histogram;
  std::vector<Time> all;
  for (unsigned i = 0; i < 10'000; ++i) {
    all.emplace_back(static_cast<Time::rep>(delay(dice)));
    histogram.record(all.back(), 1s);
  }
  std::ranges::sort(all);
  expect_near_above(histogram.percentiles(2s).p50, all[4'999]);
  expect_near_above(histogram.percentiles(2s).p99, all[9'899]);
}

TEST(DelayHistogram, OneInAHundredIsNotTheNinetyNinth) {
  DelayHistogram histogram;
  for (unsigned i = 0; i < 99; ++i) histogram.record(1ms, 1s);
  histogram.record(1s, 1s);
  expect_near_above(histogram.percentiles(1s).p99, 1ms);
  histogram.record(1s, 1s);
  expect_near_above(histogram.percentiles(1s).p99, 1s);
}

TEST(DelayHistogram, ForgetsWhatIsOld) {
  DelayHistogram histogram;
  histogram.record(1s, 1s);
  histogram.record(1ms, 12s);  // the other half
  expect_near_above(histogram.percentiles(12s).p99, 1s);
  histogram.record(1ms, 22s);
  expect_near_above(histogram.percentiles(22s).p99, 1ms);
  EXPECT_EQ(histogram.percentiles(60s).p99, 0ns);
}

}  // namespace
}  // namespace penstock
