// The door, with a plane of two workers behind it that only write down what they are told.
#include "dataplane/control/control_server.hpp"

#include <sys/socket.h>

#include <filesystem>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/site.hpp"

namespace penstock::dataplane {
namespace {

using namespace std::chrono_literals;
using ipc::EventKind;
using ipc::InstallResult;
using ipc::ReceiveStatus;

struct FakePlane : Plane {
  std::size_t workers() const override { return commands.size(); }
  bool command(std::size_t worker, const Command& command) override {
    if (is_full) return false;
    commands[worker].push_back(command);
    return true;
  }
  void send_datagram(const Endpoint& to, Bytes datagram) override {
    sent.emplace_back(to, std::vector<std::byte>{datagram.begin(), datagram.end()});
  }
  void send_inside(std::span<const std::unique_ptr<Session>> shares, Bytes message) override {
    inside.emplace_back(shares[0]->id, std::vector<std::byte>{message.begin(), message.end()});
  }
  void expect(std::vector<Endpoint> peers) override { expected = std::move(peers); }
  Counters total() const override {
    Counters counters;
    counters.values[0] = 42;
    return counters;
  }
  std::vector<std::vector<Command>> commands{2};
  std::vector<std::pair<Endpoint, std::vector<std::byte>>> sent;
  std::vector<std::pair<ipc::SessionId, std::vector<std::byte>>> inside;
  std::vector<Endpoint> expected;
  bool is_full = false;
};

class ControlServerTest : public testing::Test {
 protected:
  ControlServerTest() {
    auto listener = ipc::listen_at(path, SOCK_SEQPACKET);
    check(listener.has_value(), "a socket in the temporary directory");
    server.emplace(
        ControlServer::Setup{
            .listener = std::move(*listener), .hello = {.lanes = 2}, .started = now},
        directory, plane);
  }
  ~ControlServerTest() override { std::filesystem::remove_all(path.parent_path()); }

  ipc::Channel connect() {
    auto socket = ipc::connect_to(path, SOCK_SEQPACKET);
    check(socket.has_value(), "the server listens");
    ipc::Channel channel{std::move(*socket)};
    server->on_connection();
    return channel;
  }
  // A controller that has said hello.
  ipc::Channel greet() {
    ipc::Channel channel = connect();
    EXPECT_TRUE(channel.send(ipc::Hello{}));
    server->on_readable(now);
    EXPECT_TRUE(expect<ipc::HelloReply>(channel));
    return channel;
  }
  template <class M>
  std::optional<M> expect(ipc::Channel& channel) {
    if (channel.receive() != ReceiveStatus::message) return std::nullopt;
    const M* message = channel.received().as<M>();
    return message == nullptr ? std::nullopt : std::optional{*message};
  }
  bool is_quiet(ipc::Channel& channel) { return channel.receive() == ReceiveStatus::nothing_yet; }
  bool is_closed(ipc::Channel& channel) { return channel.receive() == ReceiveStatus::closed; }

  ipc::InstallSession session(std::uint32_t request, std::uint32_t number = 1) {
    ipc::InstallSession message = test::make_session(number);
    message.header.request = request;
    message.lanes_out = message.lanes_in = 2;
    message.peer = ipc::to_wire(site.peer);
    return message;
  }
  void send_install(ipc::Channel& channel, const ipc::InstallSession& message) {
    EXPECT_TRUE(channel.send(message));
    server->on_readable(now);
  }
  void note(std::size_t worker, Note::Kind kind, ipc::RemovalReason reason = {}) {
    server->on_note(
        {.kind = kind, .reason = reason, .session = plane.commands[worker].front().session});
  }
  void expect_event(ipc::Channel& channel, EventKind kind) {
    const auto event = expect<ipc::Event>(channel);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, kind);
    EXPECT_EQ(event->session_id, session(0).session_id);
  }

  Time now = 1000s;
  std::filesystem::path path =
      std::filesystem::path{testing::TempDir()} / ("door-" + std::to_string(getpid())) / "sock";
  test::TestSite site{0};
  HeldBudget held[2];
  FakePlane plane;
  SessionDirectory directory{
      {.max_frame_size = 1472, .self = site.self, .held = {&held[0], &held[1]}},
      site.engine,
      site.hops};
  std::optional<ControlServer> server;
};

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
  EXPECT_EQ(reply->header.request, 9u);
  EXPECT_EQ(reply->sessions, 1u);
  EXPECT_TRUE(directory.all().empty());
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

TEST_F(ControlServerTest, EventsAreToldOnceForAllWorkers) {
  ipc::Channel controller = greet();
  send_install(controller, session(5));
  for (const std::size_t worker : {0u, 1u}) note(worker, Note::Kind::installed);
  ASSERT_TRUE(expect<ipc::InstallReply>(controller));
  for (const std::size_t worker : {0u, 1u}) note(worker, Note::Kind::confirmed);
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

Counters losses(const ControlServer& server) {
  Counters counters;
  server.add_losses(counters);
  return counters;
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
  };
  EXPECT_EQ(plane.expected, std::vector<Endpoint>{}) << "none of the config's";
  tell(3, other);
  EXPECT_EQ(plane.expected, std::vector{other});
  send_install(controller, session(5));
  EXPECT_EQ(plane.expected, (std::vector{other, site.peer}));
  tell(3, {});
  EXPECT_EQ(plane.expected, std::vector{site.peer});
  note(0, Note::Kind::returned);
  note(1, Note::Kind::returned);
  EXPECT_EQ(plane.expected, std::vector<Endpoint>{});
  tell(limits::max_links, other);
  EXPECT_EQ(server->controller_fd(), -1);
}

}  // namespace
}  // namespace penstock::dataplane
