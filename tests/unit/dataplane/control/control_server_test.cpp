// Who may come in by the door, and what of sessions goes through it.
#include <fmt/format.h>

#include "tests/unit/dataplane/control/door.hpp"

namespace penstock::dataplane {
namespace {

TEST_F(ControlServerTest, HelloComesFirst) {
  ipc::Channel rude = connect();
  EXPECT_TRUE(rude.send(ipc::GetStats{}));
  server->on_readable(now);
  EXPECT_TRUE(is_closed(rude));

  ipc::Channel polite = connect();
  EXPECT_TRUE(polite.send(ipc::Hello{.header = {.type = ipc::Hello::type, .request = 7}}));
  server->on_readable(now);
  const auto reply = expect<ipc::HelloReply>(polite);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->header.request, 7u);
  EXPECT_EQ(reply->is_accepted, 1u);
  EXPECT_EQ(reply->lanes, 2);
}

TEST_F(ControlServerTest, AnotherVersionIsToldAndDropped) {
  ipc::Channel old = connect();
  EXPECT_TRUE(old.send(ipc::Hello{.version = ipc::version + 1}));
  server->on_readable(now);
  const auto reply = expect<ipc::HelloReply>(old);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->is_accepted, 0u);
  EXPECT_TRUE(is_closed(old));
}

TEST_F(ControlServerTest, AnotherVersionIsLoggedOnceUntilSomethingChanges) {
  const auto lines_of = [&](std::uint32_t version) {
    ipc::Channel controller = connect();
    EXPECT_TRUE(controller.send(ipc::Hello{.version = version}));
    testing::internal::CaptureStderr();
    server->on_readable(now);
    return testing::internal::GetCapturedStderr();
  };
  const std::string first = lines_of(ipc::version + 1);
  EXPECT_NE(first.find(fmt::format("version {} of the door between the planes, this data plane {}",
                                   ipc::version + 1, ipc::version)),
            first.npos)
      << first;
  EXPECT_EQ(lines_of(ipc::version + 1), "");
  EXPECT_NE(lines_of(ipc::version + 2), "");
  EXPECT_NE(lines_of(ipc::version + 1), "");
  (void)greet();
  server->on_readable(now);
  EXPECT_NE(lines_of(ipc::version + 1), "");
}

TEST_F(ControlServerTest, OneControllerAtATimeAndThenTheNext) {
  std::optional<ipc::Channel> first{greet()};
  ipc::Channel second = connect();
  EXPECT_TRUE(is_closed(second));
  first.reset();
  server->on_readable(now);
  EXPECT_EQ(server->controller_fd(), -1);
  ipc::Channel third = greet();
  EXPECT_TRUE(is_quiet(third));
}

TEST_F(ControlServerTest, AnInstallIsDoneWhenEveryWorkerHasIt) {
  ipc::Channel controller = greet();
  send_install(controller, session(5));
  ASSERT_EQ(plane.commands[0].size(), 1u);
  ASSERT_EQ(plane.commands[1].size(), 1u);
  EXPECT_NE(plane.commands[0][0].session, plane.commands[1][0].session);
  note(1, Note::Kind::installed);
  EXPECT_TRUE(is_quiet(controller));
  note(0, Note::Kind::installed);
  const auto reply = expect<ipc::InstallReply>(controller);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->header.request, 5u);
  EXPECT_EQ(reply->result, InstallResult::installed);

  send_install(controller, session(6));
  EXPECT_EQ(expect<ipc::InstallReply>(controller)->result, InstallResult::seen_before);
}

TEST_F(ControlServerTest, TheFarSideIsSilentWhenNoWorkerHearsIt) {
  ipc::Channel controller = greet();
  send_install(controller, session(0));
  const auto turn = [&](std::size_t worker, bool is_silent) {
    SessionProgress& progress = plane.commands[worker].front().session->progress;
    progress.is_silent = is_silent;
    progress.has_silence_note = true;
    note(worker, Note::Kind::silence);
    EXPECT_FALSE(progress.has_silence_note);
  };
  turn(0, true);
  EXPECT_TRUE(is_quiet(controller));
  EXPECT_EQ(describe(*directory.all()[0], now).is_silent, 0);
  turn(1, true);
  expect_event(controller, EventKind::peer_silent);
  EXPECT_EQ(describe(*directory.all()[0], now).is_silent, 1);
  turn(0, false);
  expect_event(controller, EventKind::peer_heard);
  turn(1, false);
  EXPECT_TRUE(is_quiet(controller));
}

TEST_F(ControlServerTest, CarriesMessagesInsideLivingSessions) {
  ipc::Channel controller = greet();
  send_install(controller, session(5));
  ipc::InjectInside down;
  down.message.session_id = session(5).session_id;
  down.message.bytes.fill(std::byte{7});
  EXPECT_TRUE(controller.send(down));
  down.message.session_id[0] ^= std::byte{1};  // of a session that is not here
  EXPECT_TRUE(controller.send(down));
  server->on_readable(now);
  ASSERT_EQ(plane.inside.size(), 1u);
  EXPECT_EQ(plane.inside[0].first, session(5).session_id);
  EXPECT_EQ(plane.inside[0].second, std::vector(limits::handshake_message, std::byte{7}));

  const std::vector message(limits::handshake_message, std::byte{9});
  server->on_inside(Spi{session(5).local_spi_base + 1}, message);
  const auto up = expect<ipc::PuntInside>(controller);
  ASSERT_TRUE(up);
  EXPECT_EQ(up->message.session_id, session(5).session_id);
  EXPECT_TRUE(std::ranges::equal(up->message.bytes, message));
  server->on_inside(Spi{64}, message);
  server->on_inside(Spi{session(5).local_spi_base}, Bytes{message}.first(10));
  EXPECT_TRUE(is_quiet(controller));
}

TEST_F(ControlServerTest, AnInstallThatFindsNoRoomIsRefused) {
  ipc::Channel controller = greet();
  plane.is_full = true;
  send_install(controller, session(5));
  EXPECT_EQ(expect<ipc::InstallReply>(controller)->result, InstallResult::no_memory);
  EXPECT_TRUE(directory.all().empty());
}

TEST_F(ControlServerTest, ARemovalIsDoneWhenEveryWorkerHasForgotten) {
  ipc::Channel controller = greet();
  send_install(controller, session(5));
  note(0, Note::Kind::installed);
  note(1, Note::Kind::installed);
  ASSERT_TRUE(expect<ipc::InstallReply>(controller));
  ipc::RemoveSession remove{.session_id = session(0).session_id};
  remove.header.request = 8;
  EXPECT_TRUE(controller.send(remove));
  server->on_readable(now);
  EXPECT_TRUE(controller.send(remove));  // once more while it is under way
  server->on_readable(now);
  EXPECT_EQ(expect<ipc::RemoveReply>(controller)->was_there, 0u);
  note(0, Note::Kind::returned, ipc::RemovalReason::by_controller);
  EXPECT_TRUE(is_quiet(controller));
  note(1, Note::Kind::returned, ipc::RemovalReason::by_controller);
  const auto reply = expect<ipc::RemoveReply>(controller);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->was_there, 1u);
  expect_event(controller, EventKind::session_removed);
  EXPECT_TRUE(directory.all().empty());
}

TEST_F(ControlServerTest, ARemovalThatFindsNoRoomIsTriedAgain) {
  ipc::Channel controller = greet();
  send_install(controller, session(5));
  for (const std::size_t worker : {0u, 1u}) note(worker, Note::Kind::installed);
  ASSERT_TRUE(expect<ipc::InstallReply>(controller));
  plane.is_full = true;
  EXPECT_TRUE(controller.send(ipc::RemoveSession{.session_id = session(0).session_id}));
  server->on_readable(now);
  server->end_turn();
  EXPECT_TRUE(is_quiet(controller));
  EXPECT_TRUE(server->has_orders());
  plane.is_full = false;
  server->end_turn();
  EXPECT_FALSE(server->has_orders());
  for (const auto& commands : plane.commands)
    EXPECT_EQ(commands.back().kind, Command::Kind::remove);
  for (const std::size_t worker : {0u, 1u})
    note(worker, Note::Kind::returned, ipc::RemovalReason::by_controller);
  const auto reply = expect<ipc::RemoveReply>(controller);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->was_there, 1u);
}

TEST_F(ControlServerTest, EventsAreToldOnceForAllWorkers) {
  ipc::Channel controller = greet();
  send_install(controller, session(5));
  for (const std::size_t worker : {0u, 1u}) note(worker, Note::Kind::installed);
  ASSERT_TRUE(expect<ipc::InstallReply>(controller));
  note(0, Note::Kind::confirmed);
  EXPECT_EQ(plane.commands[1].back().kind, Command::Kind::confirm);
  EXPECT_TRUE(is_quiet(controller)) << "not all send on it";
  note(1, Note::Kind::confirmed);
  for (const std::size_t worker : {0u, 1u}) note(worker, Note::Kind::rekey_wanted);
  expect_event(controller, EventKind::session_confirmed);
  expect_event(controller, EventKind::rekey_wanted);
  EXPECT_TRUE(is_quiet(controller));
}

TEST_F(ControlServerTest, RepliesGoOnlyToTheOneThatAsked) {
  std::optional<ipc::Channel> first{greet()};
  send_install(*first, session(5));
  first.reset();
  server->on_readable(now);
  ipc::Channel second = greet();
  for (const std::size_t worker : {0u, 1u}) note(worker, Note::Kind::installed);
  EXPECT_TRUE(is_quiet(second));
  EXPECT_TRUE(second.send(ipc::ListSessions{}));
  server->on_readable(now);
  const auto info = expect<ipc::SessionInfo>(second);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->session_id, session(0).session_id);
  EXPECT_EQ(expect<ipc::ListEnd>(second)->count, 1u);
}

TEST_F(ControlServerTest, DatagramsGoBothWays) {
  ipc::Channel controller = greet();
  ipc::Inject inject;
  inject.datagram.peer = ipc::to_wire(site.peer);
  inject.datagram.length = 3;
  inject.datagram.bytes[2] = std::byte{9};
  EXPECT_TRUE(controller.send(inject));
  server->on_readable(now);
  ASSERT_EQ(plane.sent.size(), 1u);
  EXPECT_EQ(plane.sent[0].first, site.peer);
  EXPECT_EQ(plane.sent[0].second.size(), 3u);

  const std::vector<std::byte> message(limits::handshake_message, std::byte{1});
  server->on_handshake(site.peer, message);
  const auto punt = expect<ipc::Punt>(controller);
  ASSERT_TRUE(punt);
  EXPECT_EQ(punt->datagram.length, message.size());
  EXPECT_EQ(ipc::from_wire(punt->datagram.peer), site.peer);

  inject.datagram.length = limits::handshake_message + 1;
  EXPECT_TRUE(controller.send(inject));
  server->on_readable(now);
  EXPECT_TRUE(is_closed(controller));
}

TEST_F(ControlServerTest, StatsAreTheTotal) {
  ipc::Channel controller = greet();
  EXPECT_TRUE(controller.send(ipc::GetStats{}));
  server->on_readable(now + 5s);
  const auto stats = expect<ipc::Stats>(controller);
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->counters.values[0], 42u);
  EXPECT_EQ(stats->workers, 2u);
  EXPECT_EQ(stats->uptime_ns, 5'000'000'000u);
}

TEST_F(ControlServerTest, TellsItsTopologyInPieces) {
  ipc::Channel controller = greet();
  EXPECT_TRUE(
      controller.send(ipc::GetTopology{.header = {.type = ipc::GetTopology::type, .request = 4}}));
  server->on_readable(now);
  std::string text;
  for (int piece = 0; piece < 2; ++piece) {
    const auto told = expect<ipc::TopologyText>(controller);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->header.request, 4u);
    text.append(told->text.data(), strnlen(told->text.data(), told->text.size()));
  }
  EXPECT_TRUE(text.starts_with(topology + "  counted     worker 0: 0 packets received, 7 frames"));
  EXPECT_NE(text.find("\n  counted     worker 1: 0 packets received, 8 frames sealed;"),
            std::string::npos);
  const auto end = expect<ipc::ListEnd>(controller);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->count, 2u);
}

TEST_F(ControlServerTest, ListsWhatEachWorkerCounted) {
  ipc::Channel controller = greet();
  EXPECT_TRUE(
      controller.send(ipc::ListWorkers{.header = {.type = ipc::ListWorkers::type, .request = 8}}));
  server->on_readable(now);
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    const auto stats = expect<ipc::WorkerStats>(controller);
    ASSERT_TRUE(stats);
    EXPECT_EQ(stats->header.request, 8u);
    EXPECT_EQ(stats->worker, worker);
    EXPECT_EQ(stats->counters[Counter::frames_sealed], 7u + worker);
  }
  EXPECT_EQ(expect<ipc::ListEnd>(controller)->count, 2u);
}

TEST_F(ControlServerTest, ListsTheLinksThatHaveFigures) {
  plane.links = {{.link = 3, .rate = 7}, {.link = 5, .path_frame = 1372}};
  ipc::Channel controller = greet();
  EXPECT_TRUE(
      controller.send(ipc::ListLinks{.header = {.type = ipc::ListLinks::type, .request = 9}}));
  server->on_readable(now);
  for (const ipc::LinkStats& link : plane.links) {
    const auto stats = expect<ipc::LinkStats>(controller);
    ASSERT_TRUE(stats);
    EXPECT_EQ(stats->header.request, 9u);
    EXPECT_EQ(stats->link, link.link);
    EXPECT_EQ(stats->rate, link.rate);
    EXPECT_EQ(stats->path_frame, link.path_frame);
  }
  EXPECT_EQ(expect<ipc::ListEnd>(controller)->count, 2u);
}

}  // namespace
}  // namespace penstock::dataplane
