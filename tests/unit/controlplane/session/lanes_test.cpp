// What the operator is told of lanes on which nothing comes.
#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"

namespace penstock::controlplane {
namespace {

class Lanes : public Beta {
 protected:
  Lanes() : Lanes(config()) {}
  explicit Lanes(LinkConfig config) : Beta(setup(std::move(config))), session(reach_current()) {}

  void turn(std::uint64_t silent, const ipc::SessionId& id) {
    ipc::Event told = event(ipc::EventKind::lanes_turned, id);
    told.detail = 4;
    told.silent_lanes = silent;
    controller.on_event(told, now);
  }
  void turn(std::uint64_t silent) { turn(silent, session); }

  ipc::SessionId session{};
};

TEST_F(Lanes, TheLinkIsUpAndSaysWhichAreMissing) {
  turn(0b0010);
  const LinkStatus status = controller.status();
  EXPECT_EQ(status.state, LinkStatus::State::up);
  EXPECT_EQ(status.reason,
            "nothing comes on lane 1 of 4, UDP source port 7671: what the far side sends there is "
            "lost; look for a firewall or a path that does not carry it");
  const auto notices = take<Notice>();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].kind, Notice::Kind::warning);
  EXPECT_TRUE(notices[0].text.ends_with(status.reason));
  turn(0b1010);
  EXPECT_EQ(controller.status().reason,
            "nothing comes on lanes 1, 3 of 4, UDP source ports 7671, 7673: what the far side "
            "sends there is lost; look for a firewall or a path that does not carry them");
}

TEST_F(Lanes, WhenAllAreHeardAgainThatIsSaidOnce) {
  turn(0b0010);
  (void)controller.take_actions();
  turn(0);
  EXPECT_EQ(controller.status().reason, "");
  const auto notices = take<Notice>();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].kind, Notice::Kind::info);
  EXPECT_TRUE(notices[0].text.ends_with("every lane of the far side is heard again"));
  turn(0);
  EXPECT_TRUE(take<Notice>().empty());
}

TEST_F(Lanes, OfAnotherSessionAreNotTheLinks) {
  turn(0b0010, {std::byte{9}});
  EXPECT_EQ(controller.status().reason, "");
}

TEST_F(Lanes, AreForgottenWithTheSession) {
  turn(0b0010);
  controller.on_event(event(ipc::EventKind::session_removed, session), now);
  EXPECT_FALSE(controller.status().reason.contains("lane"));
  renew_initiator();
  session = reach_current();
  EXPECT_EQ(controller.status().reason, "");
}

TEST_F(Lanes, AreForgottenWithTheDataPlane) {
  turn(0b0010);
  controller.on_dataplane_down(now);
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {}, now);
  renew_initiator();
  session = reach_current();
  EXPECT_EQ(controller.status().reason, "");
}

TEST_F(Lanes, OfASessionThatIsTakenOverAreKnown) {
  const ipc::SessionInfo info{.session_id = session,
                              .state = ipc::SessionState::current,
                              .suite = x25519.code(),
                              .lanes_in = 2,
                              .peer = ipc::to_wire(alpha),
                              .silent_lanes = 0b01};
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {info}, now);
  EXPECT_TRUE(controller.status().reason.starts_with("nothing comes on lane 0 of 2, UDP source "
                                                     "port 7670: "));
}

class LanesOfOnePort : public Lanes {
 protected:
  LanesOfOnePort() : Lanes(behind_nat()) {}
  static LinkConfig behind_nat() {
    LinkConfig config = Beta::config();
    config.nat = true;
    return config;
  }
};

TEST_F(LanesOfOnePort, HaveNone) {
  turn(0b0010);
  EXPECT_TRUE(controller.status().reason.starts_with("nothing comes on lane 1 of 4: "));
}

}  // namespace
}  // namespace penstock::controlplane
