// A link with mtu = "auto": what becomes of its frames' size.
#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"

#include "controlplane/session/path_frame.hpp"

namespace penstock::controlplane {
namespace {

constexpr std::uint16_t base = PathMtu::base_size;

class Path : public Beta {
 protected:
  Path() : Beta(setup(auto_config())) {}

  static LinkConfig auto_config() {
    LinkConfig config = Beta::config();
    config.frame_size.reset();
    config.finds_mtu = true;
    return config;
  }
  void found(const ipc::SessionId& id, std::uint32_t size) {
    ipc::Event told = event(ipc::EventKind::path_frame, id);
    told.detail = size;
    controller.on_event(told, now);
  }
  // The frame size of the next session that alpha asks for; it becomes current.
  std::uint16_t next_session() {
    renew_initiator();
    Install install = reach_install();
    const ipc::SessionId id = install.message->session_id;
    controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
    controller.on_event(event(ipc::EventKind::session_confirmed, id), now);
    (void)controller.take_actions();
    current = id;
    return install.message->frame_size;
  }
  // With frames of 1400 bytes, which is what alpha has.
  void reach_large() {
    found(reach_current(), 1472);
    EXPECT_EQ(next_session(), 1400);
  }
  void wait_for_attempt() {
    ASSERT_TRUE(controller.deadline());
    now = std::max(now, *controller.deadline());
    controller.on_timer(now);
  }

  ipc::SessionId current{};
};

TEST_F(Path, StartsWithWhatHandshakesNeed) { EXPECT_EQ(reach_install().message->frame_size, base); }

TEST_F(Path, ThatCarriesMoreIsUsedByTheNextSession) {
  const Time start = now;
  found(reach_current(), 1472);
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
  wait_for_attempt();
  EXPECT_EQ(take<SendInside>().size(), 1u);
  EXPECT_GE(now, start + 1s) << "the far side finds it too meanwhile";
  EXPECT_LE(now, start + limits::initiate_pause_after_answer);
  EXPECT_EQ(next_session(), 1400);
}

TEST_F(Path, ThatChangedIsSaid) {
  const auto said = [&](std::uint32_t size) {
    found(current, size);
    const auto notices = take<Notice>();
    return notices.empty() ? std::string{} : notices.at(0).text;
  };
  current = reach_current();
  EXPECT_TRUE(said(1272).ends_with("the path carries frames of 1272 bytes now"));
  EXPECT_EQ(said(1272), "");
  wait_for_attempt();
  EXPECT_EQ(next_session(), 1272);
  EXPECT_TRUE(said(1472).ends_with("the path carries frames of 1472 bytes now"));
  EXPECT_TRUE(said(base).ends_with(
      "the path carries frames of 1024 bytes now, and of 1272 no more; another session follows"));
}

TEST_F(Path, ThatTheFarSideCannotUseIsNoReasonForARekey) {
  reach_large();
  found(current, 1472);
  ASSERT_TRUE(controller.deadline());
  EXPECT_GT(*controller.deadline(), now + 100s);
}

TEST_F(Path, ThatShrankIsLeftAtOnceInTheClear) {
  reach_large();
  found(current, base);
  ASSERT_LE(*controller.deadline(), now);
  wait_for_attempt();
  EXPECT_EQ(take<SendInside>().size(), 0u) << "frames of that size do not pass";
  EXPECT_EQ(next_session(), base);
  found(current, 1272);
  wait_for_attempt();
  EXPECT_EQ(take<SendInside>().size(), 1u);
  EXPECT_EQ(next_session(), 1272);
}

TEST_F(Path, ThatShrankEndsAnAttemptThatGoesInside) {
  reach_large();
  controller.rekey(now);
  controller.on_timer(now);
  EXPECT_EQ(take<SendInside>().size(), 1u);
  found(current, base);
  wait_for_attempt();
  EXPECT_EQ(take<SendDatagram>().size(), 1u);
}

TEST_F(Path, ThatShrankEndsWhatIsAgreedWithLargerFrames) {
  found(reach_current(), 1472);
  renew_initiator();
  const Install install = reach_install();
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  (void)controller.take_actions();
  found(*controller.status().session_id, 1100);
  const auto removed = take<Remove>();
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].session_id, install.message->session_id);
}

TEST_F(Path, SilenceMakesTheNextFramesSmall) {
  reach_large();
  controller.on_event(event(ipc::EventKind::peer_silent, current), now);
  EXPECT_EQ(next_session(), base);
  found(current, 1472);
  EXPECT_GE(*controller.deadline(), now + 10s) << "and growing again waits";
}

TEST_F(Path, ASilenceThatEndsChangesNothing) {
  reach_large();
  controller.on_event(event(ipc::EventKind::peer_silent, current), now);
  controller.on_event(event(ipc::EventKind::peer_heard, current), now);
  EXPECT_EQ(next_session(), 1400);
}

TEST_F(Path, ASessionThatNobodySpokeOnMakesTheNextFramesSmall) {
  found(reach_current(), 1472);
  renew_initiator();
  const Install install = reach_install();
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  ipc::Event gone = event(ipc::EventKind::session_removed, install.message->session_id);
  gone.detail = static_cast<std::uint32_t>(ipc::RemovalReason::unconfirmed);
  controller.on_event(gone, now);
  (void)controller.take_actions();
  EXPECT_EQ(next_session(), base);
}

TEST_F(Path, ARestartGoesOnWithWhatTheLivingSessionHas) {
  ipc::SessionInfo info{.session_id = {std::byte{7}},
                        .local_spi_base = Spi::make(1, 9, 0).value,
                        .state = ipc::SessionState::current,
                        .suite = x25519.code(),
                        .frame_size = 1300,
                        .tag = 16,
                        .peer = ipc::to_wire(alpha)};
  std::ranges::copy(std::string_view{"alpha"}, info.peer_name.begin());
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1472, .lanes = 2}, {info}, now);
  (void)controller.take_actions();
  EXPECT_EQ(next_session(), 1300);
}

TEST_F(Path, NothingIsLargerThanTheWire) {
  found(reach_current(), 9000);
  initiator =
      Initiator{keys, {x25519}, {.spi_base = Spi::make(3, 3, 0), .frame_size = 9000}, entropy, now};
  EXPECT_EQ(reach_install().message->frame_size, 1472);
}

TEST(PathFrame, GrowsLaterAndLaterWhereThatFailedBefore) {
  PathFrame frame;
  Time now = 1000s;
  EXPECT_EQ(frame.may_grow(now), now + 1s);
  Time before = 1s;
  for (int i = 0; i < 10; ++i) {
    frame.found(1472);
    frame.doubt(now);
    EXPECT_EQ(frame.size(), base);
    const Time wait = frame.may_grow(now) - now;
    EXPECT_GE(wait, before);
    EXPECT_LE(wait, 600s);
    before = wait;
    now += 1s;
  }
  EXPECT_EQ(before, 600s);
  now += 1h;
  frame.found(1472);
  frame.doubt(now);
  EXPECT_EQ(frame.may_grow(now), now + 10s) << "it did for an hour";
}

}  // namespace
}  // namespace penstock::controlplane
