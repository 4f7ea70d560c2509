#include "penstock/link/frame_report.hpp"

#include <array>

#include <gtest/gtest.h>

#include "tests/unit/crypto/vectors.hpp"

namespace penstock {
namespace {

using namespace std::chrono_literals;
using Content = std::array<std::byte, frame_report_size>;

constexpr FrameReport good{.lane = 3,
                           .next = 1000,
                           .admitted = 900,
                           .marked = 7,
                           .events = 4,
                           .clock = 0x0102030405060708,
                           .echo = 99,
                           .held_ns = 12};

Content written(const FrameReport& report) {
  Content content;
  content.fill(std::byte{0xff});
  write_frame_report(content, report);
  return content;
}

bool is_read(const FrameReport& report) { return read_frame_report(written(report)).has_value(); }

TEST(FrameReport, IsReadAsItWasWritten) {
  EXPECT_EQ(read_frame_report(written(good)), good);
  EXPECT_EQ(to_hex(written(good)), "0400000300000000"
                                   "00000000000003e8"
                                   "0000000000000384"
                                   "0000000000000007"
                                   "0000000000000004"
                                   "0102030405060708"
                                   "0000000000000063"
                                   "000000000000000c");
}

TEST(FrameReport, AgreesWithTheOracle) {
  for (const crypto::Record& record : crypto::read_vectors("reports.txt")) {
    const auto number = [&](const char* name) { return load_be64(record.at(name).data()); };
    const auto read = read_frame_report(record.at("content"));
    ASSERT_EQ(read.has_value(), load_u8(record.at("good").data()) == 1)
        << to_hex(record.at("content"));
    if (!read) continue;
    EXPECT_EQ(*read, (FrameReport{.lane = static_cast<std::uint16_t>(number("lane")),
                                  .next = number("next"),
                                  .admitted = number("admitted"),
                                  .marked = number("marked"),
                                  .events = number("events"),
                                  .clock = number("clock"),
                                  .echo = number("echo"),
                                  .held_ns = number("held")}));
    EXPECT_EQ(to_hex(written(*read)), to_hex(record.at("content")));
  }
}

TEST(FrameReport, OfAnSaThatNothingCameOn) { EXPECT_TRUE(is_read({.clock = 1})); }

TEST(FrameReport, HasOneLength) {
  const Content content = written(good);
  EXPECT_FALSE(read_frame_report(Bytes{content}.first(frame_report_size - 1)));
  std::array<std::byte, frame_report_size + 1> longer{};
  std::ranges::copy(content, longer.begin());
  EXPECT_FALSE(read_frame_report(longer));
  EXPECT_FALSE(read_frame_report({}));
}

TEST(FrameReport, ReservedBytesAreZero) {
  for (const std::size_t at : {0, 1, 4, 5, 6, 7}) {
    Content content = written(good);
    content.at(at) ^= std::byte{1};
    EXPECT_FALSE(read_frame_report(content)) << at;
  }
}

TEST(FrameReport, WhatDoesNotHoldTogetherIsMalformed) {
  const auto with = [](auto change) {
    FrameReport report = good;
    change(report);
    return is_read(report);
  };
  EXPECT_FALSE(with([](FrameReport& r) { r.admitted = r.next + 1; }));
  EXPECT_FALSE(with([](FrameReport& r) { r.marked = r.admitted + 1; }));
  EXPECT_FALSE(with([](FrameReport& r) { r.events = r.next + 1; }));
  EXPECT_FALSE(with([](FrameReport& r) { r.admitted = r.marked = 0; }));
  EXPECT_FALSE(with([](FrameReport& r) { r.clock = 0; }));
  EXPECT_FALSE(with([](FrameReport& r) { r.echo = 0; }));
}

TEST(Reporter, ReportsOnceASecondOrARoundTrip) {
  Reporter reporter;
  const FrameTally tally;
  EXPECT_TRUE(reporter.is_due(5s));
  EXPECT_NE(reporter.make(0, tally, 0, 40ms, 5s).clock, 0u);
  EXPECT_FALSE(reporter.is_due(6s - 1ns));
  EXPECT_TRUE(reporter.is_due(6s));
  (void)reporter.make(0, tally, 0, 3s, 6s);
  EXPECT_FALSE(reporter.is_due(9s - 1ns));
  EXPECT_TRUE(reporter.is_due(9s));
}

TEST(Reporter, EchoesTheNewestReportThatItHeard) {
  Reporter reporter;
  const FrameTally tally;
  EXPECT_EQ(reporter.make(0, tally, 0, 0s, 1s).echo, 0u);
  reporter.hear({.clock = 77}, 2s);
  reporter.hear({.clock = 76}, 3s);  // overtaken on the way
  const FrameReport report = reporter.make(2, tally, 0, 0s, 5s);
  EXPECT_EQ(report.lane, 2);
  EXPECT_EQ(report.echo, 77u);
  EXPECT_EQ(report.held_ns, 3'000'000'000u);
  reporter.renew();
  EXPECT_EQ(reporter.make(0, tally, 0, 0s, 6s).echo, 0u);
}

}  // namespace
}  // namespace penstock
