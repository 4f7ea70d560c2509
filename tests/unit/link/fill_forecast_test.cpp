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
  void stream(int packets) {
    for (int i = 0; i < packets; ++i) send(9us);
  }
  [[nodiscard]] bool waits() const { return forecast.patience() != Time{}; }

  FillForecast forecast;
  Time now = 1000s;
};

TEST(FillForecast, ALonePacketWaitsForNobody) {
  Link link;
  EXPECT_FALSE(link.waits());
  for (int i = 0; i < 50; ++i) {
    link.send(1ms);
    EXPECT_FALSE(link.waits());
  }
}

TEST(FillForecast, APacketThatFillsFramesSaysNothingOfTheNext) {
  Link link;
  for (int i = 0; i < 50; ++i) {
    link.send(1ms, payload);
    for (int frame = 0; frame < 10; ++frame) link.send(0us, payload);
    EXPECT_FALSE(link.waits());
  }
}

TEST(FillForecast, AStreamOfFastPacketsIsWorthWaitingFor) {
  Link link;
  link.stream(80);  // each 10 are a frame's worth, and some are needed to see it
  EXPECT_FALSE(link.waits());
  link.stream(10);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(link.waits()) << i;
    link.send(9us);
  }
  EXPECT_EQ(link.forecast.patience(), FillForecast::soon);
}

TEST(FillForecast, AShortAnswerIsNoStream) {
  Link link;
  for (int round = 0; round < 20; ++round) {
    link.send(60ms, payload);
    for (int i = 0; i < 6; ++i) link.send(12us, payload);
    EXPECT_FALSE(link.waits());
  }
}

TEST(FillForecast, SlowerPacketsAreNotWaitedFor) {
  Link link;
  for (int i = 0; i < 1000; ++i) {
    link.send(21us);
    EXPECT_FALSE(link.waits());
  }
}

TEST(FillForecast, BurstsCountTogetherWhereTheNextComesSoon) {
  Link near;
  Link far;
  for (int i = 0; i < 20; ++i)
    for (Link* link : {&near, &far}) {
      link->send(link == &near ? 80us : 210us, payload);
      for (int frame = 0; frame < 5; ++frame) link->send(0us, payload);
    }
  EXPECT_TRUE(near.waits());
  EXPECT_FALSE(far.waits());
}

TEST(FillForecast, AStreamOutlastsAPauseAndEndsWithSilence) {
  Link link;
  link.stream(1000);
  link.send(5ms);
  EXPECT_TRUE(link.waits());
  link.stream(200);
  link.send(5ms);
  EXPECT_TRUE(link.waits());
  for (int i = 0; i < 25; ++i) link.send(5ms);
  EXPECT_FALSE(link.waits());
  link.stream(1000);
  link.send(51ms);
  EXPECT_FALSE(link.waits());
}

}  // namespace
}  // namespace penstock
