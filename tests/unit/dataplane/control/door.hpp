// The door, with a plane of two workers behind it that only write down what they are told.
#pragma once

#include <sys/socket.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/fixture/site.hpp"

#include "dataplane/control/control_server.hpp"

namespace penstock::dataplane {

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
  void expect(std::vector<Endpoint> peers) override {
    expected = std::move(peers);
    ++times_expected;
  }
  Counters total() const override {
    Counters counters;
    counters.values[0] = 42;
    return counters;
  }
  Counters of_worker(std::size_t worker) const override {
    Counters counters;
    counters.values[static_cast<std::size_t>(Counter::frames_sealed)] = 7 + worker;
    return counters;
  }
  std::vector<ipc::LinkStats> link_stats() const override { return links; }
  std::vector<ipc::LinkStats> links;
  std::vector<std::vector<Command>> commands{2};
  std::vector<std::pair<Endpoint, std::vector<std::byte>>> sent;
  std::vector<std::pair<ipc::SessionId, std::vector<std::byte>>> inside;
  std::vector<Endpoint> expected;
  int times_expected = 0;
  bool is_full = false;
};

class ControlServerTest : public testing::Test {
 protected:
  ControlServerTest() {
    auto listener = ipc::listen_at(path, SOCK_SEQPACKET);
    check(listener.has_value(), "a socket in the temporary directory");
    server.emplace(ControlServer::Setup{.listener = std::move(*listener),
                                        .hello = {.lanes = 2},
                                        .started = now,
                                        .topology = topology},
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
  std::string topology = std::string(1500, 'a') + "z";
  SessionDirectory directory{
      {.max_frame_size = 1472, .self = site.self, .held = {&held[0], &held[1]}},
      site.engine,
      site.hops};
  std::optional<ControlServer> server;
};

}  // namespace penstock::dataplane
