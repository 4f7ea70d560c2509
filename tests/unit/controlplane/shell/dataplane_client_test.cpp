// The client against a scripted data plane in the same process: both ends are driven by hand,
// so that every order of events is the test's choice.
#include "controlplane/shell/dataplane_client.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "penstock/base/clock.hpp"

namespace penstock::controlplane {
namespace {

struct Heard final : DataplaneClient::Listener {
  void on_dataplane_up(const ipc::HelloReply& hello,
                       std::vector<ipc::SessionInfo> sessions) override {
    ups.push_back(hello.max_frame_size);
    living = std::move(sessions);
  }
  void on_dataplane_down() override { ++downs; }
  void on_punt(const Endpoint& from, Bytes datagram) override {
    punts.push_back(to_string(from) + " " + to_hex(datagram));
  }
  void on_punt_inside(const ipc::SessionId& session_id, Bytes message) override {
    inside.push_back(to_hex(Bytes{session_id}.first(2)) + " " + to_hex(message.first(2)));
  }
  void on_event(const ipc::Event& event) override { events.push_back(event.detail); }

  std::vector<unsigned> ups;
  std::vector<ipc::SessionInfo> living;
  unsigned downs = 0;
  std::vector<std::string> punts;
  std::vector<std::string> inside;
  std::vector<std::uint32_t> events;
};

class DataplaneClientTest : public testing::Test {
 protected:
  DataplaneClientTest() {
    std::string pattern = testing::TempDir() + "penstock-shell-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    socket_ = folder_ / "dataplane.sock";
    listener_ = *ipc::listen_at(socket_, SOCK_SEQPACKET);
    client_.emplace(loop_, socket_, heard_);
  }
  ~DataplaneClientTest() override {
    client_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Runs the loop until the condition holds; fails the test when it never does.
  template <class Condition>
  void run_until(Condition condition) {
    const Time deadline = monotonic_now() + std::chrono::seconds{60};
    while (!condition()) {  // asked once a turn: it may take what it waits for
      ASSERT_LT(monotonic_now(), deadline);
      loop_.run_one_for(std::chrono::milliseconds{5});
    }
  }

  void accept() {
    std::optional<UniqueFd> fd;
    run_until([&] { return (fd = ipc::accept_trusted(listener_.get())).has_value(); });
    peer_ = std::make_unique<ipc::Channel>(std::move(*fd));
  }

  // The next message from the client, which must be an M.
  template <ipc::Message M>
  M expect() {
    run_until([&] { return peer_->receive() == ipc::ReceiveStatus::message; });
    const M* const message = peer_->received().as<M>();
    EXPECT_NE(message, nullptr);
    return message != nullptr ? *message : M{};
  }

  template <ipc::Message M>
  void reply(M message, const ipc::Header& to) {
    message.header.request = to.request;
    EXPECT_TRUE(peer_->send(message));
  }

  void greet(const std::vector<ipc::SessionInfo>& sessions = {}) {
    accept();
    reply(ipc::HelloReply{.is_accepted = 1, .max_frame_size = 1472}, expect<ipc::Hello>().header);
    const auto list = expect<ipc::ListSessions>().header;
    for (const ipc::SessionInfo& session : sessions) reply(session, list);
    reply(ipc::ListEnd{.count = static_cast<std::uint32_t>(sessions.size())}, list);
    run_until([&] { return client_->is_up(); });
  }

  std::filesystem::path folder_;
  std::filesystem::path socket_;
  UniqueFd listener_;
  asio::io_context loop_;
  Heard heard_;
  std::optional<DataplaneClient> client_;
  std::unique_ptr<ipc::Channel> peer_;
};

TEST_F(DataplaneClientTest, comes_up_with_what_lives) {
  client_->start();
  EXPECT_FALSE(client_->is_up());
  EXPECT_FALSE(client_->reason().empty());
  ipc::SessionInfo session;
  session.local_spi_base = 64;
  greet({session, session});
  EXPECT_EQ(heard_.ups, std::vector<unsigned>{1472});
  EXPECT_EQ(heard_.living.size(), 2u);
  EXPECT_EQ(heard_.living.at(1).local_spi_base, 64u);
  EXPECT_EQ(client_->reason(), "");
}

TEST_F(DataplaneClientTest, events_during_the_greeting_come_after_up) {
  client_->start();
  accept();
  reply(ipc::HelloReply{.is_accepted = 1}, expect<ipc::Hello>().header);
  const auto list = expect<ipc::ListSessions>().header;
  ASSERT_TRUE(peer_->send(ipc::Event{.detail = 5}));
  reply(ipc::ListEnd{}, list);
  run_until([&] { return !heard_.events.empty(); });
  EXPECT_EQ(heard_.ups.size(), 1u);
  EXPECT_EQ(heard_.events, std::vector<std::uint32_t>{5});
}

TEST_F(DataplaneClientTest, each_install_hears_its_own_result) {
  client_->start();
  greet();
  std::vector<std::string> results;
  for (const char* name : {"first", "second"}) {
    client_->install(SecretBox<ipc::InstallSession>{}, [&results, name](ipc::InstallResult result) {
      results.push_back(std::string{name} + std::to_string(static_cast<unsigned>(result)));
    });
  }
  const auto first = expect<ipc::InstallSession>().header;
  const auto second = expect<ipc::InstallSession>().header;
  reply(ipc::InstallReply{.result = ipc::InstallResult::slot_taken}, second);
  reply(ipc::InstallReply{}, first);
  run_until([&] { return results.size() == 2; });
  EXPECT_EQ(results, (std::vector<std::string>{"second3", "first0"}));
}

TEST_F(DataplaneClientTest, carries_datagrams_both_ways) {
  client_->start();
  greet();
  const std::array payload{std::byte{0xab}, std::byte{0xcd}};
  client_->inject(*parse_endpoint("192.0.2.2", 7), payload);
  const auto inject = expect<ipc::Inject>();
  EXPECT_EQ(to_string(ipc::from_wire(inject.datagram.peer)), "192.0.2.2:7");
  EXPECT_EQ(inject.datagram.length, 2);
  EXPECT_EQ(inject.datagram.bytes[1], std::byte{0xcd});
  ipc::Punt punt;
  punt.datagram = inject.datagram;
  ASSERT_TRUE(peer_->send(punt));
  run_until([&] { return !heard_.punts.empty(); });
  EXPECT_EQ(heard_.punts.front(), "192.0.2.2:7 abcd");
}

TEST_F(DataplaneClientTest, carries_messages_inside_a_session_both_ways) {
  client_->start();
  greet();
  ipc::SessionId id{};
  id.fill(std::byte{0x77});
  std::array<std::byte, limits::handshake_message> message{};
  message.fill(std::byte{0xab});
  client_->inject_inside(id, message);
  const auto inject = expect<ipc::InjectInside>();
  EXPECT_EQ(inject.message.session_id, id);
  EXPECT_EQ(inject.message.bytes, message);
  ipc::PuntInside punt;
  punt.message = inject.message;
  ASSERT_TRUE(peer_->send(punt));
  run_until([&] { return !heard_.inside.empty(); });
  EXPECT_EQ(heard_.inside.front(), "7777 abab");
}

TEST_F(DataplaneClientTest, a_report_has_stats_and_sessions) {
  client_->start();
  greet();
  std::optional<DataplaneReport> report;
  client_->ask_report([&](std::optional<DataplaneReport> answer) { report = std::move(answer); });
  const auto list = expect<ipc::ListSessions>().header;
  reply(ipc::SessionInfo{.link = 9}, list);
  reply(ipc::ListEnd{.count = 1}, list);
  const auto links = expect<ipc::ListLinks>().header;
  reply(ipc::LinkStats{.link = 9, .rate = 5}, links);
  reply(ipc::LinkStats{.link = 2}, links);
  reply(ipc::ListEnd{.count = 2}, links);
  const auto workers = expect<ipc::ListWorkers>().header;
  reply(ipc::WorkerStats{.worker = 0}, workers);
  reply(ipc::WorkerStats{.worker = 1}, workers);
  reply(ipc::ListEnd{.count = 2}, workers);
  reply(ipc::Stats{.uptime_ns = 77}, expect<ipc::GetStats>().header);
  run_until([&] { return report.has_value(); });
  EXPECT_EQ(report->stats.uptime_ns, 77u);
  EXPECT_EQ(report->sessions.at(0).link, 9u);
  ASSERT_EQ(report->links.size(), 2u);
  EXPECT_EQ(report->links[0].rate, 5u);
  EXPECT_EQ(report->links[1].link, 2u);
  ASSERT_EQ(report->workers.size(), 2u);
  EXPECT_EQ(report->workers[1].worker, 1u);
}

TEST_F(DataplaneClientTest, a_topology_is_put_together) {
  client_->start();
  std::vector<std::optional<std::string>> answers;
  const auto take = [&](std::optional<std::string> text) { answers.push_back(std::move(text)); };
  client_->ask_topology(take);
  ASSERT_EQ(answers.size(), 1u) << "not up yet";
  EXPECT_EQ(answers[0], std::nullopt);
  greet();
  client_->ask_topology(take);
  const auto asked = expect<ipc::GetTopology>().header;
  ipc::TopologyText full;
  full.text.fill('a');
  reply(full, asked);
  reply(ipc::TopologyText{.text = {'b', 'c'}}, asked);
  reply(ipc::ListEnd{.count = 2}, asked);
  run_until([&] { return answers.size() == 2; });
  EXPECT_EQ(answers[1], std::string(full.text.size(), 'a') + "bc");
}

TEST_F(DataplaneClientTest, a_report_that_is_lost_on_the_way_is_answered_all_the_same) {
  client_->start();
  unsigned answers = 0;
  const auto count = [&](const std::optional<DataplaneReport>& report) {
    EXPECT_FALSE(report);
    ++answers;
  };
  client_->ask_report(count);
  EXPECT_EQ(answers, 1u) << "not up yet";
  greet();
  client_->ask_report(count);
  static_cast<void>(expect<ipc::ListSessions>());
  peer_.reset();
  run_until([&] { return answers == 2; });
  EXPECT_EQ(heard_.downs, 1u);
  EXPECT_EQ(client_->reason(), "the data plane closed the connection");
}

TEST_F(DataplaneClientTest, two_that_zeroize_share_one_answer) {
  client_->start();
  greet();
  std::vector<std::uint32_t> wiped;
  const auto note = [&](const Result<std::optional<std::uint32_t>>& sessions) {
    ASSERT_TRUE(sessions && *sessions);
    wiped.push_back(**sessions);
  };
  client_->zeroize(note);
  client_->zeroize(note);
  const auto first = expect<ipc::Zeroize>().header;
  EXPECT_EQ(peer_->receive(), ipc::ReceiveStatus::nothing_yet);
  reply(ipc::ZeroizeReply{.sessions = 3}, first);
  run_until([&] { return !wiped.empty(); });
  EXPECT_EQ(wiped, (std::vector<std::uint32_t>{3, 3}));
  client_->zeroize(note);
  reply(ipc::ZeroizeReply{.sessions = 0}, expect<ipc::Zeroize>().header);
  run_until([&] { return wiped.size() == 3; });
}

TEST_F(DataplaneClientTest, only_a_data_plane_that_does_not_run_has_nothing_to_zeroize) {
  std::vector<std::string> outcomes;
  const auto note = [&](const Result<std::optional<std::uint32_t>>& sessions) {
    outcomes.emplace_back(!sessions ? "unconfirmed" : *sessions ? "wiped" : "none");
  };
  client_->zeroize(note);  // somebody listens, whom nobody has asked yet
  static_cast<void>(ipc::accept_trusted(listener_.get()));
  client_->start();
  accept();
  client_->zeroize(note);  // it does not greet
  reply(ipc::HelloReply{.version = 2, .is_accepted = 0}, expect<ipc::Hello>().header);
  run_until([&] { return client_->reason().find("another version") != std::string::npos; });
  client_->zeroize(note);
  EXPECT_EQ(outcomes, (std::vector<std::string>(3, "unconfirmed")));
  listener_.reset();  // its socket file stays
  client_->zeroize(note);
  std::filesystem::remove(socket_);
  client_->zeroize(note);
  EXPECT_EQ(outcomes.at(3) + outcomes.at(4), "nonenone");
}

TEST_F(DataplaneClientTest, connects_again_for_ever) {
  client_->start();
  for (unsigned time = 1; time <= 3; ++time) {
    greet();
    EXPECT_EQ(heard_.ups.size(), time);
    peer_.reset();
    run_until([&] { return heard_.downs == time; });
  }
}

TEST_F(DataplaneClientTest, another_version_is_refused) {
  client_->start();
  accept();
  reply(ipc::HelloReply{.version = 2, .is_accepted = 0}, expect<ipc::Hello>().header);
  run_until([&] { return client_->reason().find("another version") != std::string::npos; });
  EXPECT_FALSE(client_->is_up());
}

TEST_F(DataplaneClientTest, a_list_that_does_not_add_up_is_refused) {
  client_->start();
  accept();
  reply(ipc::HelloReply{.is_accepted = 1}, expect<ipc::Hello>().header);
  reply(ipc::ListEnd{.count = 3}, expect<ipc::ListSessions>().header);
  run_until([&] { return client_->reason().find("makes no sense") != std::string::npos; });
  EXPECT_TRUE(heard_.ups.empty());
}

TEST_F(DataplaneClientTest, what_is_sent_while_it_is_down_goes_nowhere) {
  client_->start();
  client_->remove({});
  client_->inject(*parse_endpoint("192.0.2.2", 7), {});
  client_->install(SecretBox<ipc::InstallSession>{}, [](ipc::InstallResult) { FAIL(); });
  greet();
  client_->remove({});
  static_cast<void>(expect<ipc::RemoveSession>());
}

}  // namespace
}  // namespace penstock::controlplane
