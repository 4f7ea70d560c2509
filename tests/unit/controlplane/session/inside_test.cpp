// Rekeys travel inside the living session, and in the clear only where that fails.
#include <gtest/gtest.h>

#include "tests/unit/controlplane/session/beta.hpp"
#include "tests/unit/controlplane/session/simulation.hpp"

namespace penstock::controlplane {
namespace {

std::uint64_t in_the_clear(Simulation& simulation) {
  return simulation.site(0).datagrams_sent + simulation.site(1).datagrams_sent;
}

class EveryInsideSeed : public testing::TestWithParam<std::uint64_t> {};

INSTANTIATE_TEST_SUITE_P(Inside, EveryInsideSeed, testing::Range<std::uint64_t>(1, 11));

TEST_P(EveryInsideSeed, NothingInTheClearOnceASessionLives) {
  Simulation simulation{GetParam(), {.rekey_after = 20s}, {.rekey_after = 20s}};
  simulation.wire = {.loss_percent = 5, .double_percent = 20, .shortest = 1ms, .longest = 100ms};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(60s));
  const std::uint64_t before = in_the_clear(simulation);
  const std::uint64_t sessions = simulation.site(0).controller->status().handshakes_completed;
  simulation.run_for(10min);
  EXPECT_EQ(in_the_clear(simulation), before) << "seed " << GetParam();
  EXPECT_GE(simulation.site(0).controller->status().handshakes_completed, sessions + 20);
  EXPECT_TRUE(simulation.run_until_converged(60s));
}

TEST(Inside, AFarSideThatLostItsSessionIsMetInTheClear) {
  Simulation simulation{1};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(5s));
  simulation.stop_dataplane(1);
  simulation.start_dataplane(1);
  EXPECT_TRUE(simulation.run_until_converged(30s));
}

TEST(Inside, ThreeAttemptsThatFailInsideAreFollowedByOneInTheClear) {
  Simulation simulation{1, {.rekey_after = 20s}, {}};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(5s));
  simulation.frames_pass = false;
  const std::uint64_t before = in_the_clear(simulation);
  simulation.run_for(20s + 3 * limits::attempt_life);
  EXPECT_EQ(in_the_clear(simulation), before);
  simulation.run_for(60s);
  EXPECT_GT(in_the_clear(simulation), before);
  simulation.frames_pass = true;
  EXPECT_TRUE(simulation.run_until_converged(60s));
}

TEST(Inside, ARestartedControllerRekeysInside) {
  Simulation simulation{1};
  simulation.start_both();
  ASSERT_TRUE(simulation.run_until_converged(5s));
  simulation.stop_controller(0);
  simulation.start_controller(0);
  const std::uint64_t before = in_the_clear(simulation);
  const auto old = simulation.site(0).dataplane->current();
  simulation.rekey(0);
  simulation.run_for(2s);
  EXPECT_NE(simulation.site(0).dataplane->current(), old);
  EXPECT_TRUE(simulation.is_converged());
  EXPECT_EQ(in_the_clear(simulation), before);
}

// A cookie says by which way message 2 went, and vouches for no other.
TEST_F(Beta, ACookieIsOfOneRoute) {
  const ipc::SessionId session = reach_current();
  now += 60s;
  const auto offer = [&] {
    return Initiator{
        keys, {x25519}, {.spi_base = Spi::make(2, 2, 0), .frame_size = 1400}, entropy, now};
  };
  Initiator in_clear = offer();
  EXPECT_TRUE(controller.on_datagram(alpha, in_clear.outgoing(), now));
  ASSERT_TRUE(in_clear.on_message(take<SendDatagram>().at(0).bytes, entropy, now));
  const std::uint64_t refused = controller.status().messages_refused;
  EXPECT_TRUE(controller.on_datagram(session, in_clear.outgoing(), now));
  EXPECT_EQ(controller.status().messages_refused, refused + 1);

  Initiator inside = offer();
  EXPECT_TRUE(controller.on_datagram(session, inside.outgoing(), now));
  const auto message_2 = take<SendInside>();
  ASSERT_EQ(message_2.size(), 1u);
  EXPECT_EQ(message_2[0].session_id, session);
  ASSERT_TRUE(inside.on_message(message_2[0].bytes, entropy, now));
  EXPECT_TRUE(controller.on_datagram(alpha, inside.outgoing(), now));
  EXPECT_EQ(controller.status().messages_refused, refused + 2);
  EXPECT_TRUE(take<Install>().empty());

  EXPECT_TRUE(controller.on_datagram(session, inside.outgoing(), now));
  const auto installs = take<Install>();
  ASSERT_EQ(installs.size(), 1u);
  EXPECT_EQ(ipc::from_wire(installs[0].message->peer), alpha) << "where the session's frames go";
}

TEST_F(Beta, AnAnswerComesByTheWayOfTheQuestion) {
  const ipc::SessionId session = reach_current();
  controller.rekey(now);
  controller.on_timer(now);
  const auto message_1 = take<SendInside>();
  const Message refusal = refusal_of(message_1.at(0).bytes);
  EXPECT_FALSE(controller.on_datagram(alpha, refusal, now));
  EXPECT_FALSE(controller.on_datagram(ipc::SessionId{}, refusal, now)) << "no such session";
  EXPECT_EQ(controller.status().handshakes_failed, 0u);
  EXPECT_TRUE(controller.on_datagram(session, refusal, now));
  EXPECT_EQ(controller.status().handshakes_failed, 1u);
}

// Every other attempt tries again inside: one who drops handshakes in the clear must not keep
// a link from rekeying for good.
TEST_F(Beta, SilenceIsMetInsideAndInTheClearByTurns) {
  (void)reach_current();
  controller.rekey(now);
  std::string routes;
  for (int attempt = 0; attempt < 7; ++attempt) {
    now = *controller.deadline();
    controller.on_timer(now);
    for (const Action& action : controller.take_actions()) {
      if (std::holds_alternative<SendInside>(action)) routes += 'i';
      if (std::holds_alternative<SendDatagram>(action)) routes += 'c';
    }
    now += limits::attempt_life;
    controller.on_timer(now);
    (void)controller.take_actions();
  }
  EXPECT_EQ(routes, "iiicici");
}

// Whoever sits in the session may hold the key and refuse for ever.
TEST_F(Beta, ThreeRefusalsInsideAreFollowedByAnAttemptInTheClear) {
  const ipc::SessionId session = reach_current();
  now += 60s;
  controller.rekey(now);
  for (unsigned i = 0; i < limits::attempts_inside; ++i) {
    now = std::max(now, *controller.deadline());
    controller.on_timer(now);
    const auto sent = take<SendInside>();
    ASSERT_EQ(sent.size(), 1u) << i;
    ASSERT_TRUE(controller.on_datagram(session, refusal_of(sent[0].bytes), now));
    (void)controller.take_actions();
  }
  now = std::max(now, *controller.deadline());
  controller.on_timer(now);
  EXPECT_EQ(take<SendDatagram>().size(), 1u);
}

// An address that a cookie proved lasts one session: whoever passed a handshake on from there is
// not asked to pass on the next.
TEST_F(Beta, ASessionThatLeadsElsewhereCarriesNoHandshakes) {
  const Endpoint elsewhere{.address = *parse_ip("203.0.113.9"), .port = 9};
  const ipc::SessionId session = reach_current(elsewhere);
  EXPECT_FALSE(controller.on_datagram(session, initiator.outgoing(), now));
  controller.rekey(now);
  controller.on_timer(now);
  const auto sent = take<SendDatagram>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, alpha);
}

TEST_F(Beta, AnAttemptEndsWithTheSessionItWentThrough) {
  const ipc::SessionId session = reach_current();
  controller.rekey(now);
  controller.on_timer(now);
  EXPECT_EQ(take<SendInside>().size(), 1u);
  controller.on_event({.kind = ipc::EventKind::session_removed,
                       .detail = static_cast<std::uint32_t>(ipc::RemovalReason::max_age),
                       .session_id = session},
                      now);
  now = *controller.deadline();
  controller.on_timer(now);
  EXPECT_EQ(take<SendDatagram>().size(), 1u);
}

}  // namespace
}  // namespace penstock::controlplane
