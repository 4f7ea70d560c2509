// What a controller says of links through the door, how it has all keys wiped, and what becomes
// of one that does not read.
#include "tests/unit/dataplane/control/door.hpp"

namespace penstock::dataplane {
namespace {

Counters losses(const ControlServer& server) {
  Counters counters;
  server.add_losses(counters);
  return counters;
}

TEST_F(ControlServerTest, ZeroizeIsDoneWhenTheLastShareIsBack) {
  ipc::Channel controller = greet();
  send_install(controller, session(5));
  EXPECT_TRUE(controller.send(ipc::Zeroize{.header = {.type = ipc::Zeroize::type, .request = 9}}));
  server->on_readable(now);
  for (const auto& commands : plane.commands)
    EXPECT_EQ(commands.back().kind, Command::Kind::zeroize);
  note(0, Note::Kind::returned, ipc::RemovalReason::zeroized);
  EXPECT_TRUE(is_quiet(controller));
  note(1, Note::Kind::returned, ipc::RemovalReason::zeroized);
  expect_event(controller, EventKind::session_removed);
  const auto reply = expect<ipc::ZeroizeReply>(controller);
  ASSERT_TRUE(reply);
  for (const auto& commands : plane.commands)
    EXPECT_EQ(commands.back().kind, Command::Kind::wipe) << "what came after a worker's own";
  EXPECT_EQ(reply->header.request, 9u);
  EXPECT_EQ(reply->sessions, 1u);
  EXPECT_TRUE(directory.all().empty());
}

TEST_F(ControlServerTest, EveryOrderToZeroizeIsAnswered) {
  ipc::Channel controller = greet();
  send_install(controller, session(5));
  for (const std::uint32_t request : {9u, 10u})
    EXPECT_TRUE(
        controller.send(ipc::Zeroize{.header = {.type = ipc::Zeroize::type, .request = request}}));
  server->on_readable(now);
  for (const std::size_t worker : {0u, 1u})
    note(worker, Note::Kind::returned, ipc::RemovalReason::zeroized);
  expect_event(controller, EventKind::session_removed);
  for (const std::uint32_t request : {9u, 10u}) {
    const auto reply = expect<ipc::ZeroizeReply>(controller);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->header.request, request);
    EXPECT_EQ(reply->sessions, 1u);
  }
  EXPECT_TRUE(is_quiet(controller));
}

TEST_F(ControlServerTest, AfterZeroizeOnlyAnotherConnectionInstalls) {
  std::optional<ipc::Channel> controller{greet()};
  EXPECT_TRUE(controller->send(ipc::Zeroize{}));
  server->on_readable(now);
  EXPECT_EQ(expect<ipc::ZeroizeReply>(*controller)->sessions, 0u);
  send_install(*controller, session(5));
  EXPECT_EQ(expect<ipc::InstallReply>(*controller)->result, InstallResult::zeroized);
  EXPECT_TRUE(controller->send(ipc::Hello{}));  // that it is polite changes nothing
  server->on_readable(now);
  EXPECT_TRUE(expect<ipc::HelloReply>(*controller));
  send_install(*controller, session(6));
  EXPECT_EQ(expect<ipc::InstallReply>(*controller)->result, InstallResult::zeroized);
  controller.reset();
  server->on_readable(now);

  ipc::Channel next = greet();
  plane.commands[0].clear();
  send_install(next, session(5));
  EXPECT_EQ(plane.commands[0].size(), 1u);
}

TEST_F(ControlServerTest, TellsWorkersOfALinksVlan) {
  ipc::Channel controller = greet();
  EXPECT_TRUE(controller.send(ipc::LinkPeer{.link = 3, .vlan = 7}));
  EXPECT_TRUE(controller.send(ipc::LinkPeer{.link = 3}));
  EXPECT_TRUE(controller.send(ipc::LinkPeer{.link = 3, .vlan = 7, .is_gone = 1}));
  server->on_readable(now);
  for (const auto& commands : plane.commands) {
    ASSERT_EQ(commands.size(), 2u);
    EXPECT_EQ(commands[0].kind, Command::Kind::vlan);
    EXPECT_EQ(commands[0].link, 3u);
    EXPECT_EQ(commands[0].vlan, 7);
    EXPECT_EQ(commands[1].kind, Command::Kind::link_gone);
  }
  EXPECT_TRUE(is_quiet(controller));
  EXPECT_TRUE(controller.send(ipc::LinkPeer{.link = limits::max_links}));
  server->on_readable(now);
  EXPECT_TRUE(is_closed(controller));
}

TEST_F(ControlServerTest, AControllerThatReadsSlowlyLosesPuntsAndNothingElse) {
  ipc::Channel controller = greet();
  const std::vector<std::byte> message(limits::handshake_message, std::byte{1});
  constexpr std::uint64_t sent = 10'000;
  for (std::uint64_t i = 0; i < sent; ++i) server->on_handshake(site.peer, message);
  for (const std::uint32_t request : {1u, 2u})
    EXPECT_TRUE(controller.send(
        ipc::GetStats{.header = {.type = ipc::GetStats::type, .request = request}}));
  server->on_readable(now);
  EXPECT_TRUE(server->is_waiting());
  const std::uint64_t lost = losses(*server)[DropReason::controller_slow];
  EXPECT_GT(lost, 0u);
  std::uint64_t came = 0;
  while (expect<ipc::Punt>(controller)) ++came;
  EXPECT_EQ(came + lost, sent);
  server->on_writable();
  EXPECT_FALSE(server->is_waiting());
  EXPECT_EQ(expect<ipc::Stats>(controller)->header.request, 1u);
  EXPECT_EQ(expect<ipc::Stats>(controller)->header.request, 2u);
  server->on_handshake(site.peer, message);
  EXPECT_TRUE(expect<ipc::Punt>(controller));
}

TEST_F(ControlServerTest, AControllerThatNeverReadsIsDropped) {
  ipc::Channel controller = greet();
  for (int i = 0; i < 100'000 && server->controller_fd() >= 0; ++i) {
    EXPECT_TRUE(controller.send(ipc::GetStats{}));
    server->on_readable(now);
  }
  EXPECT_EQ(server->controller_fd(), -1);
  server->on_handshake(site.peer, std::vector<std::byte>(limits::handshake_message));
  EXPECT_EQ(losses(*server)[DropReason::no_controller], 1u);
}

TEST_F(ControlServerTest, FarSidesOfLinksAndSessionsAreExpected) {
  const auto other = *parse_endpoint("192.0.2.99:7", 0);
  ipc::Channel controller = greet();
  const auto tell = [&](std::uint32_t link, const Endpoint& peer) {
    EXPECT_TRUE(controller.send(ipc::LinkPeer{.link = link, .peer = ipc::to_wire(peer)}));
    server->on_readable(now);
    server->end_turn();
  };
  EXPECT_EQ(plane.expected, std::vector<Endpoint>{}) << "none of the config's";
  tell(3, other);
  EXPECT_EQ(plane.expected, std::vector{other});
  send_install(controller, session(5));
  server->end_turn();
  EXPECT_EQ(plane.expected, (std::vector{other, site.peer}));
  tell(3, {});
  EXPECT_EQ(plane.expected, std::vector{site.peer});
  note(0, Note::Kind::returned);
  note(1, Note::Kind::returned);
  server->end_turn();
  EXPECT_EQ(plane.expected, std::vector<Endpoint>{});
  tell(limits::max_links, other);
  EXPECT_EQ(server->controller_fd(), -1);
}

TEST_F(ControlServerTest, FarSidesAreToldOnceATurn) {
  ipc::Channel controller = greet();
  server->end_turn();
  const int before = plane.times_expected;
  for (std::uint32_t number = 1; number <= 3; ++number)
    send_install(controller, session(number, number));
  EXPECT_EQ(plane.times_expected, before);
  server->end_turn();
  EXPECT_EQ(plane.times_expected, before + 1);
  EXPECT_EQ(plane.expected.size(), 3u);
  server->end_turn();
  EXPECT_EQ(plane.times_expected, before + 1);
}

}  // namespace
}  // namespace penstock::dataplane
