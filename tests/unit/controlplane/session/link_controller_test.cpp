#include "controlplane/session/link_controller.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"
#include "tests/unit/controlplane/session/simulation.hpp"

namespace penstock::controlplane {
namespace {

std::size_t count_of(const std::vector<std::string>& lines, std::string_view part) {
  return static_cast<std::size_t>(std::ranges::count_if(
      lines, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

// No MAC covers the source of a message 4, so it must not decide where frames go.
TEST(LinkController, TheInitiatorSendsFramesWhereItWasConfiguredTo) {
  Simulation simulation{1};
  simulation.source_of_message_4 = Endpoint{.address = *parse_ip("203.0.113.9"), .port = 9};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(5s));
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(simulation.site(i).installed_towards, simulation.site(i).peer_address);
}

// --- what the operator reads -------------------------------------------------------------

TEST(LinkStatus, WithoutADataPlane) {
  Simulation simulation{1};
  simulation.start_controller(0);
  EXPECT_EQ(simulation.site(0).controller->status().reason, "the data plane is not running");
  EXPECT_EQ(simulation.site(0).controller->status().state, LinkStatus::State::down);
  EXPECT_FALSE(simulation.site(0).controller->deadline());
}

TEST(LinkStatus, NoAnswerNamesTheEndpoint) {
  Simulation simulation{1};
  simulation.start_dataplane(0);
  simulation.start_controller(0);
  simulation.run_for(20s);
  const LinkStatus status = simulation.site(0).controller->status();
  EXPECT_EQ(status.reason,
            "no answer from 198.51.100.7:7670: is it running, and does the path carry packets of "
            "1052 bytes?");
  EXPECT_GE(status.handshakes_failed, 2u);
  simulation.run_for(5min);
  const std::size_t lines =
      count_of(simulation.site(0).notices, "no answer from 198.51.100.7:7670");
  EXPECT_GE(lines, 5u);
  EXPECT_LE(lines, 7u) << "once a minute";
}

TEST(LinkStatus, AWrongKeyIsNamedOnBothSidesOnceAMinute) {
  Simulation simulation{1, {}, {.key = "another key file, of at least 32 bytes"}};
  simulation.start_both();
  simulation.run_for(10min);
  for (int i = 0; i < 2; ++i) {
    const auto& site = simulation.site(i);
    const LinkStatus status = site.controller->status();
    EXPECT_NE(status.state, LinkStatus::State::up);
    EXPECT_NE(status.reason.find("does not hold the same key"), std::string::npos);
    EXPECT_GE(status.messages_refused, 1u);
    const std::string line = "link " + site.peer + " (" + to_string(site.peer_address) +
                             "): the far side does not hold the same key";
    EXPECT_GE(count_of(site.notices, line), 9u);
    EXPECT_LE(count_of(site.notices, line), 11u);
    EXPECT_EQ(count_of(site.notices, "no answer"), 0u);
    EXPECT_EQ(simulation.site(i).dataplane->living(simulation.now).size(), 0u);
  }
}

TEST(LinkStatus, AForeignMessageFromElsewhereSaysNothing) {
  Simulation simulation{1};
  simulation.start_dataplane(0);
  simulation.start_controller(0);
  simulation.run_for(1s);
  Message foreign{};
  store_u8(foreign.data(), 1);
  store_u8(&foreign[1], wire_version);
  LinkController& controller = *simulation.site(0).controller;
  const Endpoint elsewhere{.address = *parse_ip("203.0.113.9"), .port = 7670};
  EXPECT_FALSE(controller.on_datagram(elsewhere, foreign, simulation.now));
  controller.on_unclaimed(elsewhere, foreign, simulation.now);
  EXPECT_EQ(controller.status().messages_refused, 0u);
  controller.on_unclaimed(simulation.site(0).peer_address, foreign, simulation.now);
  EXPECT_EQ(controller.status().messages_refused, 1u);
}

TEST(LinkStatus, NoCommonSuite) {
  Simulation simulation{1, {.suites = {x25519}}, {.suites = {modp2048}}};
  simulation.start_both();
  simulation.run_for(3s);
  const std::string why = "no common suite; compare `suites` on both sides (here: ";
  const std::array lists{"X25519-AES256_CTR-SHA256)", "MODP2048-AES256_CTR-SHA256)"};
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(simulation.site(i).controller->status().reason,
              "refused by the far side: " + why + lists.at(static_cast<std::size_t>(i)));
}

TEST(LinkStatus, AnotherModeOfShape) {
  Simulation simulation{1, {.shape = {.mode = ShapeMode::constant, .rate = Rate{1'000'000}}}, {}};
  simulation.start_both();
  simulation.run_for(3s);
  const std::array modes{"\"constant\")", "\"burst\")"};
  for (int i = 0; i < 2; ++i) {
    const LinkStatus status = simulation.site(i).controller->status();
    EXPECT_NE(status.state, LinkStatus::State::up);
    EXPECT_TRUE(status.reason.ends_with(
        std::string{"the shaping differs; write the same mode in `shape` on both sides (here: "
                    "mode = "} +
        modes.at(static_cast<std::size_t>(i))))
        << status.reason;
  }
}

TEST(LinkStatus, TagBelowTheOthersMinimum) {
  Simulation simulation{1, {.tag = 12, .min_tag = 12}, {}};
  simulation.start_both();
  simulation.run_for(3s);
  for (int i = 0; i < 2; ++i) {
    const std::string reason = simulation.site(i).controller->status().reason;
    EXPECT_NE(reason.find("the tag is too short"), std::string::npos) << reason;
    EXPECT_EQ(simulation.site(i).dataplane->living(simulation.now).size(), 0u);
  }
}

TEST(LinkStatus, FramesThatDoNotComeThrough) {
  Simulation simulation{1};
  simulation.start_both();
  simulation.frames_pass = false;
  simulation.run_for(12s);
  EXPECT_EQ(simulation.site(0).controller->status().reason,
            "the handshake was completed, but no frame came through");
  simulation.frames_pass = true;
  EXPECT_TRUE(simulation.run_until_converged(60s));
}

TEST(LinkStatus, UpAndDownAreSaid) {
  Simulation simulation{1};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  const LinkStatus status = simulation.site(0).controller->status();
  EXPECT_EQ(status.state, LinkStatus::State::up);
  EXPECT_EQ(status.reason, "");
  EXPECT_EQ(status.session_id, simulation.site(0).dataplane->current());
  EXPECT_EQ(count_of(simulation.site(0).notices, "link beta (198.51.100.7:7670): up: session"), 1u);
  simulation.stop_dataplane(0);
  EXPECT_EQ(simulation.site(0).controller->status().state, LinkStatus::State::down);
  EXPECT_EQ(count_of(simulation.site(0).notices, "down: the data plane is not running"), 1u);
}

TEST(LinkStatus, AFarSideThatDiesUnderALivingSessionIsSaidUntilItAnswersAgain) {
  Simulation simulation{1};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  simulation.stop_controller(1);
  simulation.rekey(0);
  simulation.run_for(1min);
  const LinkStatus silent = simulation.site(0).controller->status();
  EXPECT_EQ(silent.state, LinkStatus::State::up);
  EXPECT_EQ(silent.reason.find(
                fmt::format("the last {} handshakes failed: no answer from 198.51.100.7:7670",
                            silent.handshakes_failed)),
            0u)
      << silent.reason;
  EXPECT_GE(silent.handshakes_failed, 2u);

  simulation.start_controller(1);
  simulation.rekey(0);
  simulation.run_for(10s);
  EXPECT_EQ(simulation.site(0).controller->status().reason, "");
  EXPECT_EQ(count_of(simulation.site(0).notices, "answers again"), 1u);
  simulation.rekey(0);
  simulation.run_for(10s);
  EXPECT_EQ(count_of(simulation.site(0).notices, "answers again"), 1u) << "nothing had failed";
}

TEST(LinkStatus, DamagedMessagesAreCountedAndSaid) {
  Simulation simulation{1};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(1s));
  const LinkKeys keys =
      derive_link_keys(crypto::derive_file_key(as_bytes(same_key)), "alpha", "beta");
  Message message = write_message_1({.key_id = keys.key_id, .suites = {x25519.code()}}, keys.k1);
  message[600] ^= std::byte{1};
  for (int i = 0; i < 50; ++i) simulation.inject(0, {message.begin(), message.end()});
  simulation.run_for(1s);
  EXPECT_EQ(simulation.site(1).controller->status().messages_refused, 50u);
  EXPECT_EQ(count_of(simulation.site(1).notices, "damaged or forged"), 1u);
  EXPECT_TRUE(simulation.is_converged());
}

// --- one controller by hand --------------------------------------------------------------

// beta's controller, with alpha's handshake machinery in the test's hands.
TEST_F(Beta, SendsMessage4OnlyWhenInstalled) {
  const Install install = reach_install();
  EXPECT_TRUE(take<SendDatagram>().empty());
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  const auto sent = take<SendDatagram>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, alpha);
  ASSERT_TRUE(initiator.on_message(sent[0].bytes, entropy, now));
  EXPECT_EQ(initiator.state(), Initiator::State::agreed);
  // And the same bytes again for the same message 3.
  EXPECT_TRUE(controller.on_datagram(alpha, initiator.outgoing(), now));
  const auto again = take<SendDatagram>();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].bytes, sent[0].bytes);
}

TEST_F(Beta, FillsTheInstallFromBothSidesParameters) {
  const Install install = reach_install();
  const ipc::InstallSession& message = *install.message;
  EXPECT_EQ(message.link, 4u);
  EXPECT_EQ(message.role, ipc::Role::responder);
  EXPECT_EQ(message.frame_size, 1000);
  EXPECT_EQ(message.lanes_out, 2);
  EXPECT_EQ(message.lanes_in, 3);
  EXPECT_EQ(message.remote_spi_base, Spi::make(1, 1, 0).value);
  EXPECT_NE(message.local_spi_base, 0u);
  EXPECT_EQ(message.tag, 16);
  EXPECT_EQ(message.suite, x25519.code());
  EXPECT_EQ(ipc::from_wire(message.peer), alpha);
  constexpr std::array<std::byte, 32> none{};
  EXPECT_NE(message.out[0].encrypt, message.out[1].encrypt);
  EXPECT_NE(message.out[0].encrypt, message.in[0].encrypt);
  EXPECT_EQ(message.out[2].encrypt, none);
  EXPECT_NE(message.in[2].encrypt, none);
}

TEST_F(Beta, AFrameSizeThatDoesNotFitTheWireIsSaid) {
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1000, .lanes = 2}, {}, now);
  EXPECT_TRUE(take<Notice>().empty()) << "it fits exactly";
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 999, .lanes = 2}, {}, now);
  const auto notices = take<Notice>();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_TRUE(notices[0].text.ends_with("frame_size 1000 does not fit the wire's MTU; using 999"))
      << notices[0].text;
}

TEST_F(Beta, AnMtuAboveTheWiresIsSaid) {
  LinkConfig wide = config();
  wide.frame_size.reset();
  wide.mtu = 1501;
  ASSERT_TRUE(controller.reconfigure(setup(wide), now));
  const auto notices = take<Notice>();
  EXPECT_EQ(std::ranges::count_if(notices,
                                  [](const Notice& notice) {
                                    return notice.text.ends_with(
                                        "mtu 1501 is more than the wire's; using 1500");
                                  }),
            1);
  controller.on_dataplane_up({.boot_id = {}, .max_frame_size = 1473, .lanes = 2}, {}, now);
  EXPECT_TRUE(take<Notice>().empty()) << "it fits exactly";
}

TEST_F(Beta, AnInstallThatFailsIsNotAnswered) {
  const Install install = reach_install();
  controller.on_install_reply(install.request, ipc::InstallResult::no_memory, now);
  EXPECT_TRUE(take<SendDatagram>().empty());
  EXPECT_NE(controller.status().reason.find("no memory left"), std::string::npos);
  EXPECT_EQ(controller.status().handshakes_failed, 1u);
  EXPECT_TRUE(controller.deadline());
}

TEST_F(Beta, StartsNothingForTenSecondsAfterAnswering) {
  const Install install = reach_install();
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  EXPECT_FALSE(controller.deadline()) << "a session waits to be confirmed";
  controller.on_event({.kind = ipc::EventKind::session_removed,
                       .detail = static_cast<std::uint32_t>(ipc::RemovalReason::max_age),
                       .session_id = install.message->session_id},
                      now);
  EXPECT_EQ(controller.deadline(), now + limits::initiate_pause_after_answer);
  controller.rekey(now);
  EXPECT_LE(controller.deadline(), now) << "the operator's command does not wait";
}

TEST_F(Beta, TheResponderRekeysLaterThanTheInitiator) {
  (void)reach_current();
  EXPECT_GE(controller.deadline(), now + limits::rekey_after_responder_min);
  EXPECT_LE(controller.deadline(), now + limits::rekey_after_responder_max);
}

TEST_F(Beta, RekeysWhenTheDataPlaneWantsIt) {
  const ipc::SessionId session = reach_current();
  now += 60s;
  controller.on_event(event(ipc::EventKind::rekey_wanted, session), now);
  EXPECT_EQ(controller.deadline(), now);
  controller.on_timer(now);
  EXPECT_EQ(take<SendInside>().size(), 1u);
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
}

TEST_F(Beta, AConfirmationMayOvertakeTheInstallReply) {
  const Install install = reach_install();
  controller.on_event(event(ipc::EventKind::session_confirmed, install.message->session_id), now);
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
  EXPECT_EQ(take<SendDatagram>().size(), 1u);
  controller.on_install_reply(install.request, ipc::InstallResult::installed, now);
  EXPECT_TRUE(take<SendDatagram>().empty());
  EXPECT_EQ(controller.status().handshakes_completed, 1u);
}

TEST_F(Beta, ARefusalNeverEndsALivingSession) {
  const ipc::SessionId session = reach_current();
  controller.rekey(now);
  controller.on_timer(now);
  const auto message_1 = take<SendInside>();
  const Message refusal = refusal_of(message_1.at(0).bytes);
  EXPECT_TRUE(controller.on_datagram(session, refusal, now));
  EXPECT_EQ(controller.status().state, LinkStatus::State::up);
  EXPECT_EQ(controller.status().handshakes_failed, 1u);
  EXPECT_TRUE(take<Remove>().empty());
}

// A config copied to the far side: it starts handshakes as we do.
TEST_F(Beta, AFarSideOfOurOwnNameIsSaid) {
  const LinkKeys ours =
      derive_link_keys(crypto::derive_file_key(as_bytes(same_key)), "beta", "alpha");
  controller.on_timer(now);
  for (int i = 0; i < 5; ++i) {
    Initiator namesake{ours, {x25519}, {.spi_base = Spi::make(1, 1, 0)}, entropy, now};
    EXPECT_FALSE(controller.on_datagram(alpha, namesake.outgoing(), now));
    controller.on_unclaimed(alpha, namesake.outgoing(), now);
  }
  now += 10s;
  controller.on_timer(now);
  EXPECT_EQ(controller.status().handshakes_failed, 1u);
  EXPECT_EQ(controller.status().reason,
            "messages under our own name come from the far side: both files may call their site "
            "\"beta\"; swap name and peer in one of them");
  EXPECT_EQ(controller.status().messages_refused, 0u);
  EXPECT_EQ(take<Notice>().size(), 1u);
}

TEST_F(Beta, MessagesOfOtherLinksAreNotClaimed) {
  const LinkKeys others = derive_link_keys(crypto::derive_file_key(as_bytes("x")), "alpha", "beta");
  Initiator other{others, {x25519}, {}, entropy, now};
  EXPECT_FALSE(controller.on_datagram(alpha, other.outgoing(), now));
  EXPECT_FALSE(controller.on_datagram(alpha, {}, now));
  Message late = write_message_2({.suite = x25519.code()}, keys.k2);
  EXPECT_FALSE(controller.on_datagram(alpha, late, now));
  EXPECT_FALSE(controller.on_datagram(alpha, Bytes{late}.first(5), now));
}

}  // namespace
}  // namespace penstock::controlplane
