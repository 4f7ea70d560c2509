// What the operator is told when a link's circuit breaker stops its frames.
#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"

namespace penstock::controlplane {
namespace {

LinkConfig constant() {
  LinkConfig config{
      .peer = "alpha",
      .endpoint = Endpoint{.address = *parse_ip("192.0.2.1"), .port = 7670},
      .suites = {x25519},
  };
  config.frame_size = 1000;
  config.shape = {.mode = ShapeMode::constant, .rate = Rate{.per_second = 1'000'000}};
  return config;
}

class Breaker : public Beta {
 protected:
  Breaker() : Beta(setup(constant())) {
    initiator = Initiator{keys,
                          {x25519},
                          {.spi_base = Spi::make(1, 1, 0),
                           .frame_size = 1400,
                           .shaping = static_cast<std::uint8_t>(ShapeMode::constant)},
                          entropy,
                          now};
    session = reach_current();
  }
  void tell(ipc::EventKind kind, std::uint32_t detail = 0) {
    ipc::Event told = event(kind, session);
    told.detail = detail;
    controller.on_event(told, now);
  }

  ipc::SessionId session{};
};

TEST_F(Breaker, AStoppedLinkIsUpAndSaysWhyNothingPasses) {
  tell(ipc::EventKind::link_stopped, 812'345);
  const LinkStatus status = controller.status();
  EXPECT_EQ(status.state, LinkStatus::State::up);
  EXPECT_EQ(status.reason,
            "a lane of 2 stopped: the path lost 81 % of the frames to the far side; it is tried "
            "again at a "
            "lower rate, by itself; if it stops again, lower `rate` in shape, or add adapt = true "
            "to it");
  EXPECT_EQ(status.stop, status.reason);
  const auto notices = take<Notice>();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].kind, Notice::Kind::warning);
  EXPECT_TRUE(notices[0].text.ends_with(status.reason));
}

TEST_F(Breaker, WithoutReportsNothingIsKnownOfThePath) {
  tell(ipc::EventKind::link_stopped, 1'000'000);
  EXPECT_TRUE(controller.status().reason.starts_with(
      "a lane of 2 stopped: nothing of what we send is reported by the far side; "));
}

TEST_F(Breaker, ALinkThatIsTriedAgainSaysSo) {
  tell(ipc::EventKind::link_stopped, 812'345);
  EXPECT_EQ(controller.status(ipc::BreakerState::probing).reason,
            "a lane of 2 was stopped, and is tried at a lower rate now: the path lost 81 % of the "
            "frames to "
            "the far side; if it stops again, lower `rate` in shape, or add adapt = true to it");
}

TEST_F(Breaker, ThatOpenedBeforeTheStartIsKnownByItsFigures) {
  EXPECT_TRUE(controller.status(ipc::BreakerState::open)
                  .reason.starts_with("a lane of 2 stopped: too little of what we send arrived"));
  EXPECT_EQ(controller.status().reason, "");
}

TEST_F(Breaker, OfTheOnlyLaneIsTheLinks) {
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 1}, {}, now);
  EXPECT_TRUE(controller.status(ipc::BreakerState::open).stop.starts_with("stopped: too little"));
}

TEST_F(Breaker, TheAdviceIsOfTheModeAndOfWhatItHas) {
  const auto advice = [&](const Shape& shape) {
    LinkConfig other = constant();
    other.shape = shape;
    EXPECT_TRUE(controller.reconfigure(setup(other), now));
    const std::string stop = controller.status(ipc::BreakerState::open).stop;
    return stop.substr(stop.rfind("; ") + 2);
  };
  const Rate slow{.per_second = 1'000'000};
  const Rate fast{.per_second = 2'000'000};
  EXPECT_EQ(advice({.mode = ShapeMode::quantized, .steps = {slow, fast}}),
            "if it stops again, lower `steps` in shape, or add adapt = true to it");
  EXPECT_EQ(advice({.mode = ShapeMode::constant, .rate = slow, .adapt = true}),
            "if it stops again, set a lower `least` in shape");
}

TEST_F(Breaker, IsForgottenByAReloadToBurst) {
  tell(ipc::EventKind::link_stopped, 812'345);
  LinkConfig burst = constant();
  burst.shape = {};
  ASSERT_TRUE(controller.reconfigure(setup(burst), now));
  EXPECT_EQ(controller.status().stop, "");
  ASSERT_TRUE(controller.reconfigure(setup(constant()), now));
  EXPECT_EQ(controller.status().stop, "");
}

TEST_F(Breaker, ResumedIsSaidOnce) {
  tell(ipc::EventKind::link_stopped, 812'345);
  (void)controller.take_actions();
  tell(ipc::EventKind::link_resumed);
  EXPECT_EQ(controller.status().reason, "");
  const auto notices = take<Notice>();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].kind, Notice::Kind::info);
  EXPECT_TRUE(notices[0].text.ends_with("resumed: frames leave at their rate again"));
  tell(ipc::EventKind::link_resumed);
  EXPECT_TRUE(take<Notice>().empty());
}

TEST_F(Breaker, ADataPlaneThatIsGoneHasStoppedNothing) {
  tell(ipc::EventKind::link_stopped, 812'345);
  controller.on_dataplane_down(now);
  EXPECT_EQ(controller.status().reason, "the data plane is not running");
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {}, now);
  (void)controller.take_actions();
  EXPECT_EQ(controller.status().reason.find("stopped"), std::string::npos);
}

}  // namespace
}  // namespace penstock::controlplane
