#include "penstock/link/fill_forecast.hpp"

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t payload = 1000;
constexpr std::size_t packet = 100;

class Link {
 public:
  // A frame of its own for each packet, as when the link is idle.
  void send(Time after, std::size_t bytes = packet) {
    now += after;
    forecast.begin(payload, now);
    forecast.add(bytes);
  }
  [[nodiscard]] bool is_soon_full(Time after = {}) const {
    return now + after < forecast.full_by();
  }

  FillForecast forecast;
  Time now = 1000s;
};

TEST(FillForecast, ALonePacketWaitsForNobody) {
  Link link;
  EXPECT_FALSE(link.is_soon_full());
  for (int i = 0; i < 50; ++i) {
    link.send(1ms);
    EXPECT_FALSE(link.is_soon_full());
  }
}

TEST(FillForecast, APacketThatFillsFramesSaysNothingOfTheNext) {
  Link link;
  for (int i = 0; i < 50; ++i) {
    link.send(1ms, payload);
    for (int frame = 0; frame < 10; ++frame) link.send(0us, payload);
    EXPECT_FALSE(link.is_soon_full());
  }
}

TEST(FillForecast, FastPacketsFillAFrameSoon) {
  Link link;
  for (int i = 0; i < 10; ++i) link.send(9us);
  EXPECT_FALSE(link.is_soon_full());  // less than a frame's worth came yet
  for (int i = 0; i < 100; ++i) {
    link.send(9us);
    EXPECT_TRUE(link.is_soon_full()) << i;
  }
  EXPECT_TRUE(link.is_soon_full(9us));
  EXPECT_FALSE(link.is_soon_full(101us));  // they have ended
  link.send(1ms);
  EXPECT_FALSE(link.is_soon_full());
}

TEST(FillForecast, SlowerPacketsDoNot) {
  Link link;
  for (int i = 0; i < 100; ++i) {
    link.send(11us);
    EXPECT_FALSE(link.is_soon_full());
  }
}

TEST(FillForecast, BurstsCountTogether) {
  Link link;
  for (int i = 0; i < 3; ++i) {
    link.send(80us, payload);
    link.send(0us, payload);
  }
  EXPECT_TRUE(link.is_soon_full());
  link.send(110us, payload);  // too far apart to wait for the next
  EXPECT_FALSE(link.is_soon_full());
}

}  // namespace
}  // namespace penstock
